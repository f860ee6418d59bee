// How fast the disk of a folder can be read, without a model on it: by a file that is written for it and deleted again.

import { randomFillSync, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WeightMemory } from '@airllm/backend';
import { READS_IN_FLIGHT } from './dense-tiles.js';
import { FileReader } from './file-reader.js';
import type { DiskSpeed } from './measure-disk.js';

const DEFAULT_FILE_BYTES = 128 * 2 ** 20;
const READ_BYTES = 4 * 2 ** 20;
const SECONDS = 0.5;

export interface MeasureFolderOptions {
  /** Memory for a few reads, given back before this settles. */
  readonly allocate: (byteLength: number) => WeightMemory;
  /** A multiple of 4 MiB. Default 128 MiB. */
  readonly fileBytes?: number;
}

/**
 * @throws LayerStoreError `READ_FAILED`, and the errors of writing a file; nothing is left in the folder
 * @example
 * const { bytesPerSecond } = await measureFolder('/models', { allocate: (bytes) => backend.allocateWeights(bytes) });
 */
export async function measureFolder(folder: string, options: MeasureFolderOptions): Promise<DiskSpeed> {
  const { allocate, fileBytes = DEFAULT_FILE_BYTES } = options;
  const path = join(folder, `.airllm-disk-${randomUUID()}`);
  const reader = new FileReader();
  const memories: WeightMemory[] = [];
  try {
    await writeFile(path, fileBytes);
    while (memories.length < READS_IN_FLIGHT) memories.push(allocate(READ_BYTES));
    // Pages are committed when they are first written, which is no part of a disk's speed.
    for (const { bytes } of memories) bytes.fill(0);
    const started = performance.now();
    let bytesRead = 0;
    let fileOffset = 0;
    const lanes = memories.map(async (memory) => {
      do {
        const range = { path, fileOffset, bufferOffset: 0, byteLength: READ_BYTES, neededBytes: READ_BYTES };
        fileOffset = (fileOffset + READ_BYTES) % fileBytes;
        await reader.read({ ...range, memory });
        bytesRead += READ_BYTES;
      } while (performance.now() - started < SECONDS * 1000);
    });
    const results = await Promise.allSettled(lanes);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return {
      bytesPerSecond: bytesRead / ((performance.now() - started) / 1000),
      bufferedReason: reader.bufferedReason,
    };
  } finally {
    for (const memory of memories) memory.dispose();
    await reader.close();
    await rm(path, { force: true });
  }
}

/** Bytes that no file system compresses, on the disk when this settles. */
async function writeFile(path: string, fileBytes: number): Promise<void> {
  const chunk = randomFillSync(new Uint8Array(READ_BYTES));
  const handle = await open(path, 'wx', 0o600);
  try {
    for (let offset = 0; offset < fileBytes; offset += READ_BYTES)
      await handle.write(chunk, 0, READ_BYTES, offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
