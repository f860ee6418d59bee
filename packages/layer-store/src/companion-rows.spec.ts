import { companionRows, mostRowBytes } from './companion-rows.js';

const place = { path: '/f', byteOffset: 1000 };

describe('companionRows', () => {
  const rangeOf = (
    companion: { unitBytes: number; unitElements: number; first: number },
    cols: number,
    [rowStart, rowCount]: readonly [number, number],
  ) => companionRows({ ...place, ...companion }, { cols }, { rowStart, rowCount });

  it.each([
    // Blocks of 2048 in rows of 3000: row 1 has elements 3000 … 5999, of blocks 1 and 2.
    ['blocks that cross rows', [1, 1], { byteOffset: 1004, byteLength: 8 }],
    // Elements 0 … 5999, of blocks 0, 1, 2.
    ['blocks of several rows', [0, 2], { byteOffset: 1000, byteLength: 12 }],
    // Elements 6144 = 3 · 2048 lie in row 2 already: 6000 … 8999 are of blocks 2, 3, 4.
    ['blocks that begin within a row', [2, 1], { byteOffset: 1008, byteLength: 12 }],
  ] as const)('counts %s', (_, rows, expected) => {
    const blocks = { unitBytes: 4, unitElements: 2048, first: 0 };
    expect(rangeOf(blocks, 3000, rows)).toEqual({ path: '/f', ...expected });
  });

  it('counts from the element that the weight begins with', () => {
    // The weight begins 2000 into a block: row 0, of 100, has the last 48 of it and 52 of the next.
    const blocks = { unitBytes: 1, unitElements: 2048, first: 2000 };
    expect(rangeOf(blocks, 100, [0, 1])).toMatchObject({ byteOffset: 1000, byteLength: 2 });
    expect(rangeOf(blocks, 100, [1, 1])).toMatchObject({ byteOffset: 1001, byteLength: 1 });
  });

  it.each([
    ['one unit a row', 50, [3, 2], { byteOffset: 1000 + 3 * 24, byteLength: 48 }],
    ['one for four rows', 200, [4, 6], { byteOffset: 1000 + 24, byteLength: 48 }],
  ] as const)('counts rows: %s', (_, unitElements, rows, expected) => {
    expect(rangeOf({ unitBytes: 24, unitElements, first: 0 }, 50, rows)).toMatchObject(expected);
  });
});

describe('mostRowBytes', () => {
  it('is never less than a row has', () => {
    for (const [unitElements, cols] of [
      [64, 50],
      [64, 64],
      [64, 65],
      [2048, 100],
      [2048, 5000],
      [50, 50],
    ] as const) {
      for (const first of [0, 1, unitElements - 1]) {
        const companion = { ...place, unitBytes: 4, unitElements, first };
        for (let rowStart = 0; rowStart < 100; rowStart++) {
          const { byteLength } = companionRows(companion, { cols }, { rowStart, rowCount: 1 });
          expect(byteLength).toBeLessThanOrEqual(mostRowBytes(companion, cols));
        }
      }
    }
  });
});
