// One file, written in blocks of 4 MiB that are filled in any order: planes of a tensor grow side by side. A block that is
// full gets its checksum and goes to the disk while others are filled.

import { AlignedPool, PAGE_BYTES, roundUp } from './aligned-pool.js';
import { BlockHash, CHECKSUM_BLOCK_BYTES, FileChecksum } from './checksum.js';
import type { DirectFile } from './direct-file.js';

/** Blocks that can be open at a time, those on their way to the disk included. */
export const WRITE_BUFFERS = 14;
/** Enough to keep a disk busy; more would keep the reads waiting for a thread of libuv's four. */
const WRITES_IN_FLIGHT = 2;

export function createWritePool(): AlignedPool {
  return new AlignedPool(WRITE_BUFFERS, CHECKSUM_BLOCK_BYTES);
}

/** Copied at a time, and digested while a core's cache still has it. */
const PIECE_BYTES = 128 * 1024;

interface OpenBlock {
  readonly buffer: Uint8Array;
  readonly hash: BlockHash;
  filledBytes: number;
  /** From the start of the block. */
  hashedBytes: number;
}

export class BlockWriter {
  readonly #file: DirectFile;
  readonly #fileBytes: number;
  readonly #pool: AlignedPool;
  readonly #checksum: FileChecksum;
  readonly #open = new Map<number, OpenBlock>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #hashes: BlockHash[] = [];
  #writtenBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  /** @param fileBytes Length the file will have. */
  constructor(file: DirectFile, fileBytes: number, pool: AlignedPool) {
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#pool = pool;
    this.#checksum = new FileChecksum(fileBytes);
  }

  /** Takes `bytes` for `offset`; the caller may reuse them at once. Every byte of the file is given exactly once. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const at = offset + done;
      const index = Math.floor(at / CHECKSUM_BLOCK_BYTES);
      const start = at - index * CHECKSUM_BLOCK_BYTES;
      const length = Math.min(bytes.length - done, CHECKSUM_BLOCK_BYTES - start, PIECE_BYTES);
      const block = this.#open.get(index) ?? (await this.#openBlock(index));
      block.buffer.set(bytes.subarray(done, done + length), start);
      if (block.hashedBytes === start) {
        block.hash.update(block.buffer.subarray(start, start + length));
        block.hashedBytes += length;
      }
      block.filledBytes += length;
      done += length;
      if (block.filledBytes === this.#blockBytes(index)) await this.#send(index, block);
    }
  }

  /** Waits for the last block and the disk. Returns the checksum of the file. */
  async finish(): Promise<string> {
    await Promise.all(this.#inFlight);
    this.#throwFailure();
    if (this.#writtenBytes !== this.#fileBytes) {
      throw new RangeError(
        `Expected ${this.#fileBytes} bytes for ${this.#file.path} but ${this.#writtenBytes} were written`,
      );
    }
    await this.#file.finish(this.#fileBytes);
    return this.#checksum.digest();
  }

  /** Gives every buffer back, whatever happened; nothing may be written after it. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    for (const { buffer } of this.#open.values()) this.#pool.release(buffer);
    this.#open.clear();
  }

  async #openBlock(index: number): Promise<OpenBlock> {
    const hash = this.#hashes.pop() ?? new BlockHash();
    hash.reset();
    const block = { buffer: await this.#pool.acquire(), hash, filledBytes: 0, hashedBytes: 0 };
    this.#open.set(index, block);
    return block;
  }

  async #send(index: number, { buffer, hash, hashedBytes }: OpenBlock): Promise<void> {
    const blockBytes = this.#blockBytes(index);
    // What was filled out of order.
    if (hashedBytes < blockBytes) hash.update(buffer.subarray(hashedBytes, blockBytes));
    this.#checksum.addDigest(index, hash.digest());
    this.#hashes.push(hash);
    while (this.#inFlight.size >= WRITES_IN_FLIGHT) await Promise.race(this.#inFlight);
    this.#throwFailure();
    this.#open.delete(index);
    const pageBytes = roundUp(blockBytes, PAGE_BYTES);
    buffer.fill(0, blockBytes, pageBytes);
    const write = this.#file
      .write(buffer.subarray(0, pageBytes), index * CHECKSUM_BLOCK_BYTES)
      .then(
        () => void (this.#writtenBytes += blockBytes),
        (error: unknown) => void (this.#failure ??= { error }),
      )
      .finally(() => {
        this.#pool.release(buffer);
        this.#inFlight.delete(write);
      });
    this.#inFlight.add(write);
  }

  #blockBytes(index: number): number {
    return Math.min(CHECKSUM_BLOCK_BYTES, this.#fileBytes - index * CHECKSUM_BLOCK_BYTES);
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
