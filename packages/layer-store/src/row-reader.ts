// Reads single rows of a large table (token embeddings) from disk, never the table. A row is read with its companions and
// used where it comes to lie.

import type { WeightMemory, WeightSpan } from '@airllm/backend';
import { companionRows, mostRowBytes } from './companion-rows.js';
import type { FileReader } from './file-reader.js';
import { mostPagedBytes, ReadRanges, type RangeRead } from './read-ranges.js';
import type { FileSpan, ResolvedWeight } from './resolved-weight.js';

/** Rows read at once; with the pages around them they are what a `RowReader` needs. */
export const ROWS_PER_READ = 64;

/** Where a row and its companions lie until the next read. */
export interface StoredRow {
  readonly row: number;
  readonly byteOffset: number;
  readonly companions: readonly WeightSpan[];
}

/** Memory for ROWS_PER_READ rows of this weight. */
export function rowReaderBytes(weight: ResolvedWeight): number {
  const companions = weight.packing?.companions ?? [];
  const bytes = companions.map((companion) => mostPagedBytes(mostRowBytes(companion, weight.cols)));
  return ROWS_PER_READ * bytes.reduce((sum, part) => sum + part, mostPagedBytes(weight.rowBytes));
}

export class RowReader {
  /** @param memory of at least {@link rowReaderBytes}, the caller's own */
  constructor(
    private readonly weight: ResolvedWeight,
    private readonly reader: FileReader,
    private readonly memory: WeightMemory,
  ) {}

  /** Reads at most ROWS_PER_READ rows. */
  async read(rows: readonly number[]): Promise<{ rows: StoredRow[]; bytesRead: number }> {
    const { memory } = this;
    const ranges = new ReadRanges();
    const placed = rows.map((row): StoredRow => {
      const [own, ...companions] = this.#spansOf(row).map((span) => ranges.place(span));
      return {
        row,
        byteOffset: own ?? 0,
        companions: companions.map((byteOffset) => ({ memory, byteOffset })),
      };
    });
    await this.reader.readAll(ranges.reads, memory);
    const bytesRead = ranges.reads.reduce((sum: number, read: RangeRead) => sum + read.byteLength, 0);
    return { rows: placed, bytesRead };
  }

  /** The row's own bytes, then those of each companion. */
  #spansOf(row: number): FileSpan[] {
    const { path, byteOffset, rowBytes, packing } = this.weight;
    const companions = packing?.companions ?? [];
    return [
      { path, byteOffset: byteOffset + row * rowBytes, byteLength: rowBytes },
      ...companions.map((companion) => companionRows(companion, this.weight, { rowStart: row, rowCount: 1 })),
    ];
  }
}
