// The layer shards of a benchmark's checkpoint in a smaller format, written once beside it.

import { dirname } from 'node:path';
import { shardModel } from '@airllm/core';
import { progress } from './progress.js';

/** Resolves to the folder of the shards. */
export async function openCompressed(checkpointFolder, format) {
  let told = false;
  const { folder } = await shardModel(checkpointFolder, {
    format,
    baseFolder: dirname(checkpointFolder),
    onProgress: () => {
      if (!told) progress(`${format} shards of ${checkpointFolder}`);
      told = true;
    },
  });
  return folder;
}
