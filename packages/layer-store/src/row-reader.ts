// Reads single rows of a large table (token embeddings) from disk, never the table.

import type { WeightMemory } from '@airllm/backend';
import type { FileReader } from './file-reader.js';
import type { ResolvedWeight } from './resolve-weights.js';
import { ceilPage, floorPage, PAGE_BYTES } from './tile.js';

/** Rows read at once; with the pages around them this is what `RowReader` holds. */
export const ROWS_PER_READ = 64;

/** Memory a `RowReader` holds for rows of this weight: the rows in pages, and packed. */
export function rowReaderBytes(weight: ResolvedWeight): number {
  return pagedBytes(weight) + packedBytes(weight);
}

function pagedBytes(weight: ResolvedWeight): number {
  return ROWS_PER_READ * pagedRowBytes(weight);
}

function packedBytes(weight: ResolvedWeight): number {
  return ceilPage(ROWS_PER_READ * weight.rowBytes);
}

/** Pages that a row can touch. */
function pagedRowBytes(weight: ResolvedWeight): number {
  return ceilPage(weight.rowBytes) + PAGE_BYTES;
}

export class RowReader {
  readonly #paged: WeightMemory;
  readonly #packed: WeightMemory;

  constructor(
    private readonly weight: ResolvedWeight,
    private readonly reader: FileReader,
    allocate: (byteLength: number) => WeightMemory,
  ) {
    this.#paged = allocate(pagedBytes(weight));
    this.#packed = allocate(packedBytes(weight));
  }

  /**
   * Reads at most ROWS_PER_READ rows and packs them one after the other from the start of the returned
   * memory, which is valid until the next call.
   */
  async read(rows: readonly number[]): Promise<{ memory: WeightMemory; bytesRead: number }> {
    const { rowBytes, byteOffset, path } = this.weight;
    const stride = pagedRowBytes(this.weight);
    const reads = rows.map((row, i) => {
      const start = byteOffset + row * rowBytes;
      const fileOffset = floorPage(start);
      return {
        path,
        fileOffset,
        byteLength: ceilPage(start + rowBytes) - fileOffset,
        neededBytes: start + rowBytes - fileOffset,
        memory: this.#paged,
        bufferOffset: i * stride,
      };
    });
    const results = await Promise.allSettled(reads.map((read) => this.reader.read(read)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    reads.forEach(({ bufferOffset, neededBytes }, i) => {
      const rowEnd = bufferOffset + neededBytes;
      this.#packed.bytes.set(this.#paged.bytes.subarray(rowEnd - rowBytes, rowEnd), i * rowBytes);
    });
    return { memory: this.#packed, bytesRead: reads.reduce((sum, read) => sum + read.byteLength, 0) };
  }

  dispose(): void {
    this.#paged.dispose();
    this.#packed.dispose();
  }
}
