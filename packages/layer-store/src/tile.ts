// Cuts weights into tiles, the unit that is placed, read and released: blocks of rows of large matrices,
// several small matrices together, always in the order they are used.

import { companionRows } from './companion-rows.js';
import { ceilPage, ReadRanges, type RangeRead } from './read-ranges.js';
import type { ResolvedWeight } from './resolved-weight.js';

/** Tiles that every token needs, and those of routed experts. */
export type TileKind = 'dense' | 'expert';

/** A block of rows of one weight inside a tile. */
export interface TilePart {
  readonly tile: number;
  readonly weight: ResolvedWeight;
  readonly rowStart: number;
  readonly rowCount: number;
  /** Where its first row starts in the tile's memory, as stored. */
  readonly bufferOffset: number;
  /** Where the rows of each companion start. */
  readonly companionOffsets: readonly number[];
  /** Where its float32 values come to lie; undefined where ops take what is stored. */
  readonly decodedOffset: number | undefined;
}

export interface Tile {
  readonly index: number;
  /** Index of the stage (layer, head) that uses it. */
  readonly stage: number;
  readonly parts: readonly TilePart[];
  readonly reads: readonly RangeRead[];
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
      const remaining = bytesOf({ weight, rowStart, rowCount: weight.rows - rowStart });
      const room = tileBytes - filled;
      if (filled > 0 && remaining > room && (weight.whole || room < tileBytes * SMALLEST_FILL)) {
        close();
        continue;
      }
      const unitBytes = bytesOf({ weight, rowStart, rowCount: unit });
      const fitting = weight.whole ? weight.rows : unit * Math.floor(room / unitBytes);
      if (fitting === 0 && filled > 0) {
        close();
        continue;
      }
      const rowCount = Math.min(weight.rows - rowStart, Math.max(unit, fitting));
      blocks.push({ weight, rowStart, rowCount });
      filled += bytesOf({ weight, rowStart, rowCount });
      rowStart += rowCount;
      if (filled >= tileBytes) close();
    }
  }
  close();
  return tiles;
}

type Block = Pick<TilePart, 'weight' | 'rowStart' | 'rowCount'>;

/** With companions and decoded values. */
function bytesOf(block: Block): number {
  const { weight, rowCount } = block;
  const companions = weight.packing?.companions ?? [];
  return companions.reduce(
    (sum, companion) => sum + companionRows(companion, weight, block).byteLength,
    rowCount * weight.rowBytes + decodedBytes(block),
  );
}

function decodedBytes({ weight, rowCount }: Block): number {
  return weight.decoded ? rowCount * weight.cols * Float32Array.BYTES_PER_ELEMENT : 0;
}

/** Gives each block its place in memory, its companions behind it; values that are decoded come last. */
function layOut(blocks: readonly Block[], id: { index: number; stage: number }): Tile {
  const ranges = new ReadRanges();
  const stored = blocks.map((block) => {
    const { weight, rowStart, rowCount } = block;
    const { path, rowBytes } = weight;
    const byteOffset = weight.byteOffset + rowStart * rowBytes;
    return {
      ...block,
      bufferOffset: ranges.place({ path, byteOffset, byteLength: Math.ceil(rowCount * rowBytes) }),
      companionOffsets: (weight.packing?.companions ?? []).map((companion) =>
        ranges.place(companionRows(companion, weight, block)),
      ),
    };
  });
  let { bufferBytes } = ranges;
  const parts = stored.map((block): TilePart => {
    const decodedOffset = block.weight.decoded ? bufferBytes : undefined;
    bufferBytes += ceilPage(decodedBytes(block));
    return { tile: id.index, ...block, decodedOffset };
  });
  return { ...id, parts, reads: ranges.reads, bufferBytes };
}
