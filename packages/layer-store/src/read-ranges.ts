// Byte ranges of files as whole pages: neighbours in a file become one read, and each range keeps its place within.

import type { FileSpan } from './resolved-weight.js';

/** Direct I/O wants file offsets, lengths and memory in multiples of this; true for every common disk. */
export const PAGE_BYTES = 4096;

/** One read from disk into memory; fileOffset, byteLength and bufferOffset are multiples of PAGE_BYTES. */
export interface RangeRead {
  readonly path: string;
  readonly fileOffset: number;
  readonly byteLength: number;
  readonly bufferOffset: number;
  /** Bytes that must arrive; less than `byteLength` where the range is rounded up past the end of the file. */
  readonly neededBytes: number;
}

/** Collects ranges in the order their bytes are to lie in memory. */
export class ReadRanges {
  readonly #reads: { -readonly [Field in keyof RangeRead]: RangeRead[Field] }[] = [];
  #bufferBytes = 0;

  get reads(): readonly RangeRead[] {
    return this.#reads;
  }

  /** Memory that the reads take, a multiple of PAGE_BYTES. */
  get bufferBytes(): number {
    return this.#bufferBytes;
  }

  /** Makes room for bytes of a file and returns where they come to lie. */
  place({ path, byteOffset, byteLength }: FileSpan): number {
    const end = byteOffset + byteLength;
    const fileOffset = floorPage(byteOffset);
    let read = this.#reads.at(-1);
    const continues =
      read?.path === path && fileOffset >= read.fileOffset && fileOffset <= read.fileOffset + read.byteLength;
    if (!read || !continues) {
      read = { path, fileOffset, byteLength: 0, bufferOffset: this.#bufferBytes, neededBytes: 0 };
      this.#reads.push(read);
    }
    read.byteLength = Math.max(read.byteLength, ceilPage(end) - read.fileOffset);
    read.neededBytes = Math.max(read.neededBytes, end - read.fileOffset);
    this.#bufferBytes = read.bufferOffset + read.byteLength;
    return read.bufferOffset + byteOffset - read.fileOffset;
  }
}

export function floorPage(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

export function ceilPage(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** The most memory that `byteLength` bytes take, wherever in a file they begin. */
export function mostPagedBytes(byteLength: number): number {
  return ceilPage(byteLength - 1) + PAGE_BYTES;
}
