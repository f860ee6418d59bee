import { createRandom, PAGE, type Random } from '../test/support.js';
import type { ResolvedWeight } from './resolved-weight.js';
import { cutTiles, type Tile } from './tile.js';

function matrix(name: string, rows: number, cols: number, place: { path: string; byteOffset: number }) {
  const rowBytes = cols * 2;
  return {
    name,
    dtype: 'bf16' as const,
    rows,
    cols,
    isVector: false,
    whole: false,
    decoded: false,
    scales: undefined,
    ...place,
    byteLength: rows * rowBytes,
    rowBytes,
  };
}

/** Up to six matrices in up to three files, beside each other or apart, at even and odd offsets. */
function randomMatrices(random: Random): ResolvedWeight[] {
  const ends = new Map<string, number>();
  return Array.from({ length: random.int(1, 6) }, (_, i) => {
    const path = `file-${random.int(0, 2)}`;
    const gap = random.chance(0.5) ? 0 : random.int(0, 20000);
    const byteOffset = (ends.get(path) ?? random.int(0, 300)) + gap;
    const weight = matrix(`w${i}`, random.int(1, 200), random.int(1, 500), { path, byteOffset });
    ends.set(path, byteOffset + weight.byteLength);
    return weight;
  });
}

/** The rows the tiles hold, in order, as `name:row`. */
function rowsOf(tiles: readonly Tile[]): string[] {
  return tiles.flatMap(({ parts }) =>
    parts.flatMap(({ weight, rowStart, rowCount }) =>
      Array.from({ length: rowCount }, (_, i) => `${weight.name}:${rowStart + i}`),
    ),
  );
}

describe('cutTiles, on 300 random sets of matrices', () => {
  const cases = Array.from({ length: 300 }, (_, seed) => {
    const random = createRandom(seed);
    const weights = randomMatrices(random);
    const tileBytes = PAGE * random.int(1, 16);
    const firstIndex = random.int(0, 5);
    return {
      weights,
      tileBytes,
      firstIndex,
      tiles: cutTiles(weights, { stage: 7, firstIndex, tileBytes }),
    };
  });

  it('covers every row of every matrix once, in order', () => {
    for (const { weights, tiles } of cases) {
      const expected = weights.flatMap(({ name, rows }) =>
        Array.from({ length: rows }, (_, row) => `${name}:${row}`),
      );
      expect(rowsOf(tiles)).toEqual(expected);
    }
  });

  it('numbers tiles and parts in sequence', () => {
    for (const { tiles, firstIndex } of cases) {
      tiles.forEach((tile, i) => {
        expect(tile).toMatchObject({ index: firstIndex + i, stage: 7 });
        for (const part of tile.parts) expect(part.tile).toBe(tile.index);
      });
    }
  });

  it('reads whole pages into whole pages, side by side, of which the needed bytes are the first', () => {
    for (const { tiles } of cases) {
      for (const { reads, bufferBytes } of tiles) {
        let bufferEnd = 0;
        for (const read of reads) {
          for (const number of [read.fileOffset, read.byteLength, read.bufferOffset])
            expect(number % PAGE).toBe(0);
          expect(read.bufferOffset).toBe(bufferEnd);
          expect(read.neededBytes).toBeGreaterThan(read.byteLength - PAGE);
          expect(read.neededBytes).toBeLessThanOrEqual(read.byteLength);
          bufferEnd += read.byteLength;
        }
        expect(bufferBytes).toBe(bufferEnd);
      }
    }
  });

  it('puts the bytes of every part where one of its reads brings them', () => {
    for (const { tiles } of cases) {
      for (const { parts, reads } of tiles) {
        for (const { weight, rowStart, rowCount, bufferOffset } of parts) {
          const start = weight.byteOffset + rowStart * weight.rowBytes;
          const end = start + rowCount * weight.rowBytes;
          const bringing = reads.filter(
            (read) =>
              read.path === weight.path &&
              start >= read.fileOffset &&
              end <= read.fileOffset + read.neededBytes &&
              bufferOffset - read.bufferOffset === start - read.fileOffset,
          );
          expect(bringing).toHaveLength(1);
        }
      }
    }
  });

  it('takes more than tileBytes only for the pages around its blocks, or for one row that is larger', () => {
    for (const { tiles, tileBytes } of cases) {
      for (const { parts, bufferBytes } of tiles) {
        // A block of b bytes that starts anywhere touches fewer than b / PAGE + 2 pages.
        const slack = parts.length * 2 * PAGE;
        const [first] = parts;
        const oneLargeRow = parts.length === 1 && first?.rowCount === 1;
        const limit = oneLargeRow ? Math.max(tileBytes, first.weight.rowBytes) : tileBytes;
        expect(bufferBytes).toBeLessThanOrEqual(limit + slack);
      }
    }
  });
});

describe('cutTiles', () => {
  const place = (byteOffset: number, path = 'a') => ({ path, byteOffset });

  it('reads matrices that touch, or share a page, in one go', () => {
    // 4 rows of 2048 bytes each: bytes 100 … 8292 and 8292 … 16484, five pages in all.
    const weights = [matrix('a', 4, 1024, place(100)), matrix('b', 4, 1024, place(8292))];
    const [tile, ...rest] = cutTiles(weights, { stage: 0, firstIndex: 0, tileBytes: 65536 });
    expect(rest).toEqual([]);
    expect(tile?.reads).toEqual([
      { path: 'a', fileOffset: 0, byteLength: 5 * PAGE, bufferOffset: 0, neededBytes: 16484 },
    ]);
    expect(tile?.parts.map((part) => part.bufferOffset)).toEqual([100, 8292]);
  });

  it('reads matrices of two files side by side, though their offsets touch', () => {
    const weights = [matrix('a', 4, 1024, place(0)), matrix('b', 4, 1024, place(8192, 'b'))];
    const [tile] = cutTiles(weights, { stage: 0, firstIndex: 0, tileBytes: 65536 });
    expect(tile?.reads.map(({ path, fileOffset }) => [path, fileOffset])).toEqual([
      ['a', 0],
      ['b', 8192],
    ]);
    expect(tile?.bufferBytes).toBe(16384);
  });

  it('reads the order of use, not the order of the file', () => {
    const weights = [matrix('b', 2, 1024, place(40960)), matrix('a', 2, 1024, place(0))];
    const [tile] = cutTiles(weights, { stage: 0, firstIndex: 0, tileBytes: 65536 });
    expect(tile?.reads.map(({ fileOffset }) => fileOffset)).toEqual([40960, 0]);
  });

  it('gives a row larger than a tile one of its own', () => {
    const tiles = cutTiles([matrix('a', 3, 4096, place(0))], {
      stage: 0,
      firstIndex: 0,
      tileBytes: PAGE,
    });
    expect(tiles.map(({ parts }) => parts[0]?.rowCount)).toEqual([1, 1, 1]);
    expect(tiles.map(({ bufferBytes }) => bufferBytes)).toEqual([8192, 8192, 8192]);
  });

  it('cuts nothing from nothing', () => {
    expect(cutTiles([], { stage: 0, firstIndex: 3, tileBytes: PAGE })).toEqual([]);
  });
});
