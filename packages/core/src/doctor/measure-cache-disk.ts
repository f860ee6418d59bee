// How fast the disk of the model cache can be read, in the folder that is there already: the doctor makes no folders.

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WeightMemory } from '@airllm/backend';
import { measureFolder } from '@airllm/layer-store';
import type { DiskFacts } from './diagnosis.js';

/** Far below what a model needs. */
const LEAST_FREE_BYTES = 2 ** 30;

/** Never rejects: what cannot be measured is a note. */
export async function measureCacheDisk(
  folder: string,
  allocate: (byteLength: number) => WeightMemory,
): Promise<DiskFacts> {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  let freeBytes: number | undefined;
  try {
    const { bavail, bsize } = await statfs(existing);
    freeBytes = bavail * bsize;
    if (freeBytes < LEAST_FREE_BYTES)
      return { folder, freeBytes, bytesPerSecond: undefined, note: 'the disk is nearly full' };
    const { bytesPerSecond, bufferedReason } = await measureFolder(existing, { allocate });
    return {
      folder,
      freeBytes,
      bytesPerSecond,
      note: bufferedReason && `through the page cache: ${bufferedReason}`,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { folder, freeBytes, bytesPerSecond: undefined, note: `not measured: ${reason}` };
  }
}
