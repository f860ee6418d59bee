// Makes single shards again from the originals, where a disk or a person has damaged them.

import { ShardError } from './errors.js';
import { planOf } from './manifest.js';
import { openManifest } from './verify-shards.js';
import { writeShards, type WriteShardsOptions, type WrittenShards } from './write/write-shards.js';

/**
 * Makes the files of these names again. The others are not read; a damaged one stays until its successor is complete.
 *
 * @throws ShardError `SOURCE_MISSING` or `SOURCE_CHANGED` when the originals cannot give the same bytes, and those of
 *   writing
 */
export async function repairShards(
  folder: string,
  names: readonly string[],
  options: Pick<WriteShardsOptions, 'signal' | 'onProgress' | 'threads'> = {},
): Promise<WrittenShards> {
  const plan = planOf(await openManifest(folder));
  const unknown = names.find((name) => !plan.files.some((file) => file.name === name));
  if (unknown !== undefined) {
    throw new ShardError(
      'INVALID_OPTION',
      `Expected the name of a shard in ${folder} but received ${unknown}.`,
      {
        fields: { folder, found: unknown },
      },
    );
  }
  return writeShards(plan, folder, { ...options, remake: new Set(names) });
}
