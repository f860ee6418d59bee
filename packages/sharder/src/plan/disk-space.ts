// Whether a plan fits: what is written, less what deleting originals gives back on the way.

import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ShardError, systemCode } from '../errors.js';
import type { PlannedFile } from './plan-schema.js';

export interface DiskNeed {
  /** Most that has to be free at any moment. */
  readonly peakBytes: number;
  /** Of the shards that are still to be written. */
  readonly finalBytes: number;
}

export interface DiskNeedOptions {
  /** Files that only get a second name. */
  readonly linked: ReadonlySet<string>;
  /** Sources, by index, that are deleted once no file needs them; their bytes. Empty when originals stay. */
  readonly deleted: ReadonlyMap<number, number>;
}

/** Walks through `files` in order, as they will be written. */
export function diskNeed(files: readonly PlannedFile[], { linked, deleted }: DiskNeedOptions): DiskNeed {
  const lastUse = new Map<number, number>();
  files.forEach(({ tensors }, i) => tensors.forEach(({ source }) => lastUse.set(source, i)));
  let heldBytes = 0;
  let peakBytes = 0;
  let finalBytes = 0;
  files.forEach((file, i) => {
    const bytes = linked.has(file.name) ? 0 : file.expectedBytes;
    heldBytes += bytes;
    finalBytes += bytes;
    peakBytes = Math.max(peakBytes, heldBytes);
    for (const [source, sourceBytes] of deleted) if (lastUse.get(source) === i) heldBytes -= sourceBytes;
  });
  return { peakBytes, finalBytes };
}

/** The error that says what is missing. `cause` is that of a write that ran out of space. */
export function diskFull(
  { neededBytes, freeBytes, folder }: { neededBytes: number; freeBytes: number; folder: string },
  cause?: unknown,
): ShardError {
  const missingBytes = Math.max(0, neededBytes - freeBytes);
  const kept =
    cause === undefined
      ? 'Nothing was written.'
      : 'What is finished stays, and the next run goes on from there.';
  return new ShardError(
    'DISK_FULL',
    `Expected ${neededBytes} free bytes in ${folder} for the shards but found ${freeBytes}: ${missingBytes} are missing. ` +
      `${kept} Free some space or choose another folder.`,
    { fields: { neededBytes, freeBytes, missingBytes, folder }, cause },
  );
}

/** Of the file system of `folder`, which need not exist yet; undefined where it does not say. */
export async function freeBytesOf(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    return systemCode(error) === 'ENOENT' && parent !== folder ? freeBytesOf(parent) : undefined;
  }
}
