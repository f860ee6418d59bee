// Reads a whole file past the page cache and gives its checksum.

import { stat } from 'node:fs/promises';
import { CHECKSUM_BLOCK_BYTES, FileChecksum } from './checksum.js';
import { readAhead, type ByteRange } from './read-ahead.js';
import { ReadQueue } from './read-queue.js';

export interface ChecksumOptions {
  readonly signal?: AbortSignal | undefined;
  /** Gets the bytes of each block as it was read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** @throws ShardError `SOURCE_MISSING`, `READ_FAILED`, `SOURCE_CHANGED` (it grew shorter meanwhile), `ABORTED` */
export async function checksumOfFile(
  path: string,
  { signal, onBytes }: ChecksumOptions = {},
): Promise<string> {
  const { size } = await stat(path);
  const checksum = new FileChecksum(size);
  const blocks = Math.ceil(size / CHECKSUM_BLOCK_BYTES);
  await using queue = new ReadQueue(readAhead(blocksOf(path, size)), {
    signal,
    onTake: ({ byteLength }) => onBytes?.(byteLength),
  });
  for (let block = 0; block < blocks; block++) checksum.addBlock(block, (await queue.take()).bytes);
  return checksum.digest();
}

async function* blocksOf(path: string, size: number): AsyncGenerator<ByteRange> {
  for (let byteOffset = 0; byteOffset < size; byteOffset += CHECKSUM_BLOCK_BYTES) {
    yield { path, byteOffset, byteLength: Math.min(CHECKSUM_BLOCK_BYTES, size - byteOffset) };
  }
}
