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
    let rowStart = 0;
    while (rowStart < weight.rows) {
      const remaining = (weight.rows - rowStart) * weight.rowBytes;
      const room = tileBytes - filled;
      if (filled > 0 && remaining > room && (weight.whole || room < tileBytes * SMALLEST_FILL)) {
        close();
        continue;
      }
      const fitting = weight.whole ? weight.rows : Math.floor(room / weight.rowBytes);
      if (fitting === 0 && filled > 0) {
        close();
        continue;
      }
      const rowCount = Math.min(weight.rows - rowStart, Math.max(1, fitting));
      blocks.push({ weight, rowStart, rowCount });
      filled += rowCount * weight.rowBytes;
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

/** Gives each block its place in memory; neighbours in a file become one read. */
function layOut(blocks: readonly Block[], id: { index: number; stage: number }): Tile {
  const parts: TilePart[] = [];
  const reads: {
    path: string;
    fileOffset: number;
    byteLength: number;
    bufferOffset: number;
    neededBytes: number;
  }[] = [];
  let bufferBytes = 0;
  for (const { weight, rowStart, rowCount } of blocks) {
    const start = weight.byteOffset + rowStart * weight.rowBytes;
    const end = start + rowCount * weight.rowBytes;
    const pageStart = floorPage(start);
    const pageEnd = ceilPage(end);
    const last = reads.at(-1);
    const continues =
      last !== undefined &&
      last.path === weight.path &&
      pageStart >= last.fileOffset &&
      pageStart <= last.fileOffset + last.byteLength;
    if (continues) {
      last.byteLength = Math.max(last.byteLength, pageEnd - last.fileOffset);
      last.neededBytes = Math.max(last.neededBytes, end - last.fileOffset);
      bufferBytes = Math.max(bufferBytes, last.bufferOffset + last.byteLength);
      parts.push({
        tile: id.index,
        weight,
        rowStart,
        rowCount,
        bufferOffset: last.bufferOffset + start - last.fileOffset,
      });
      continue;
    }
    reads.push({
      path: weight.path,
      fileOffset: pageStart,
      byteLength: pageEnd - pageStart,
      bufferOffset: bufferBytes,
      neededBytes: end - pageStart,
    });
    parts.push({ tile: id.index, weight, rowStart, rowCount, bufferOffset: bufferBytes + start - pageStart });
    bufferBytes += pageEnd - pageStart;
  }
  return { ...id, parts, reads, bufferBytes };
}

export function floorPage(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

export function ceilPage(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
