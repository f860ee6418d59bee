// Cuts weights into tiles, the unit that is placed, read and released: blocks of rows of large matrices,
// several small matrices together, always in the order they are used.

import type { ResolvedWeight } from './resolve-weights.js';

/** Direct I/O wants file offsets, lengths and memory in multiples of this; true for every common disk. */
export const PAGE_BYTES = 4096;

/** Tiles that every token needs, and those of routed experts. */
export type TileKind = 'dense' | 'expert';

/** A block of rows of one weight inside a tile. */
export interface TilePart {
  readonly tile: number;
  readonly weight: ResolvedWeight;
  readonly rowStart: number;
  readonly rowCount: number;
  /** Where its first row starts in the tile's memory. */
  readonly bufferOffset: number;
  /** Where the rows of each companion start. */
  readonly companionOffsets: readonly number[];
}

/** One read from disk into a tile's memory; all three numbers are multiples of PAGE_BYTES. */
export interface TileRead {
  readonly path: string;
  readonly fileOffset: number;
  readonly byteLength: number;
  readonly bufferOffset: number;
  /** Bytes that must arrive; less than `byteLength` where the range is rounded up past the end of the file. */
  readonly neededBytes: number;
}

export interface Tile {
  readonly index: number;
  /** Index of the stage (layer, head) that uses it. */
  readonly stage: number;
  readonly parts: readonly TilePart[];
  readonly reads: readonly TileRead[];
  /** Memory it takes, a multiple of PAGE_BYTES. */
  readonly bufferBytes: number;
}

/** A tile is closed rather than given a sliver of the next matrix smaller than this part of it. */
const SMALLEST_FILL = 1 / 8;

/** Cuts `weights` (matrices, in order of use) into tiles of about `tileBytes`, numbered from `firstIndex`. */
export function cutTiles(
  weights: readonly ResolvedWeight[],
  options: { stage: number; firstIndex: number; tileBytes: number },
): Tile[] {
  const { stage, firstIndex, tileBytes } = options;
  const tiles: Tile[] = [];
  let blocks: Block[] = [];
  let filled = 0;
  const close = (): void => {
    if (blocks.length > 0) tiles.push(layOut(blocks, { index: firstIndex + tiles.length, stage }));
    blocks = [];
    filled = 0;
  };
  for (const weight of weights) {
    const unit = weight.packing?.rowUnit ?? 1;
    let rowStart = 0;
    while (rowStart < weight.rows) {
      const remaining = bytesOfRows(weight, weight.rows - rowStart);
      const room = tileBytes - filled;
      if (filled > 0 && remaining > room && (weight.whole || room < tileBytes * SMALLEST_FILL)) {
        close();
        continue;
      }
      const fitting = weight.whole ? weight.rows : unit * Math.floor(room / bytesOfRows(weight, unit));
      if (fitting === 0 && filled > 0) {
        close();
        continue;
      }
      const rowCount = Math.min(weight.rows - rowStart, Math.max(unit, fitting));
      blocks.push({ weight, rowStart, rowCount });
      filled += bytesOfRows(weight, rowCount);
      rowStart += rowCount;
      if (filled >= tileBytes) close();
    }
  }
  close();
  return tiles;
}

interface Block {
  readonly weight: ResolvedWeight;
  readonly rowStart: number;
  readonly rowCount: number;
}

/** With their companions. */
function bytesOfRows({ rowBytes, packing }: ResolvedWeight, rows: number): number {
  const companions = packing?.companions ?? [];
  return companions.reduce(
    (sum, companion) => sum + Math.ceil(rows / companion.rowsEach) * companion.rowBytes,
    rows * rowBytes,
  );
}

/** Gives each block its place in memory, companions behind all rows; neighbours in a file become one read. */
function layOut(blocks: readonly Block[], id: { index: number; stage: number }): Tile {
  const reads = new Reads();
  const placed = blocks.map(({ weight, rowStart, rowCount }) => ({
    weight,
    rowStart,
    rowCount,
    bufferOffset: reads.place(
      weight.path,
      weight.byteOffset + rowStart * weight.rowBytes,
      rowCount * weight.rowBytes,
    ),
  }));
  const parts = placed.map((part) => ({
    tile: id.index,
    ...part,
    companionOffsets: (part.weight.packing?.companions ?? []).map(
      ({ path, byteOffset, rowBytes, rowsEach }) =>
        reads.place(
          path,
          byteOffset + (part.rowStart / rowsEach) * rowBytes,
          Math.ceil(part.rowCount / rowsEach) * rowBytes,
        ),
    ),
  }));
  return { ...id, parts, reads: reads.list, bufferBytes: reads.bufferBytes };
}

/** The reads of a tile as they are collected. */
class Reads {
  readonly list: {
    path: string;
    fileOffset: number;
    byteLength: number;
    bufferOffset: number;
    neededBytes: number;
  }[] = [];
  bufferBytes = 0;

  /** Makes room for bytes of a file and returns where they come to lie. */
  place(path: string, start: number, byteLength: number): number {
    const end = start + byteLength;
    const fileOffset = floorPage(start);
    let read = this.list.at(-1);
    const continues =
      read?.path === path && fileOffset >= read.fileOffset && fileOffset <= read.fileOffset + read.byteLength;
    if (!read || !continues) {
      read = { path, fileOffset, byteLength: 0, bufferOffset: this.bufferBytes, neededBytes: 0 };
      this.list.push(read);
    }
    read.byteLength = Math.max(read.byteLength, ceilPage(end) - read.fileOffset);
    read.neededBytes = Math.max(read.neededBytes, end - read.fileOffset);
    this.bufferBytes = read.bufferOffset + read.byteLength;
    return read.bufferOffset + start - read.fileOffset;
  }
}

export function floorPage(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

export function ceilPage(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
