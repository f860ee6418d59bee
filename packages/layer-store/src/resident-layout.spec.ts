import { layOutResidents } from './resident-layout.js';
import type { ResolvedWeight } from './resolved-weight.js';

const span = (byteOffset: number, byteLength: number, path = '/a') => ({ path, byteOffset, byteLength });
const STAGING = { stagingBytes: 1 << 20, decoded: [] };

describe('layOutResidents', () => {
  it('reads neighbours together and far ones apart, and packs what it read', () => {
    const { batches, byteLength, stagingBytes } = layOutResidents(
      [span(100_000, 40), span(5000, 40), span(5040, 4000)],
      STAGING,
    );
    // Bytes 5000 … 9040 touch pages 1 and 2 of the file (4096 … 12288), 100000 … 100040 page 24 (98304).
    expect(batches).toEqual([
      {
        reads: [
          { path: '/a', fileOffset: 4096, byteLength: 8192, bufferOffset: 0, neededBytes: 9040 - 4096 },
          {
            path: '/a',
            fileOffset: 98_304,
            byteLength: 4096,
            bufferOffset: 8192,
            neededBytes: 100_040 - 98_304,
          },
        ],
        copies: [
          { from: 904, to: 0, byteLength: 40 },
          { from: 944, to: 64, byteLength: 4000 },
          // 64 + 4000 is 63.5 lines of 64.
          { from: 8192 + 1696, to: 4096, byteLength: 40 },
        ],
      },
    ]);
    expect(stagingBytes).toBe(12_288);
    expect(byteLength).toBe(8192);
  });

  it('places what several weights name once', () => {
    const { batches, offsetOf } = layOutResidents([span(0, 4), span(4, 4), span(0, 4)], STAGING);
    expect(batches[0]?.copies).toHaveLength(2);
    expect(offsetOf(span(4, 4))).toBe(64);
    expect(offsetOf(span(8, 4))).toBeUndefined();
  });

  it('keeps files apart', () => {
    const { batches } = layOutResidents([span(0, 4), span(4, 4, '/b')], STAGING);
    expect(batches[0]?.reads).toHaveLength(2);
  });

  it('reads no more at once than the staging buffer holds, but for a larger span', () => {
    const small = Array.from({ length: 30 }, (_, i) => span(i * 10_000, 100));
    const { batches, stagingBytes } = layOutResidents([...small, span(500_000, 50_000)], {
      stagingBytes: 20_000,
      decoded: [],
    });
    const sizes = batches.map(({ reads }) => reads.reduce((sum, { byteLength }) => sum + byteLength, 0));
    // 100 bytes lie in a page or two.
    expect(sizes.slice(0, -1).every((bytes) => bytes <= 20_000)).toBe(true);
    expect(batches.flatMap(({ copies }) => copies)).toHaveLength(31);
    // 50000 bytes from byte 288 of page 122 on touch 13 pages.
    expect(sizes.at(-1)).toBe(13 * 4096);
    expect(stagingBytes).toBe(13 * 4096);
  });

  it('has room for the values of packed vectors behind all spans', () => {
    const vector = { name: 'v', rows: 3, cols: 10 } as ResolvedWeight;
    const { decodedOffsets, byteLength } = layOutResidents([span(0, 4000)], {
      stagingBytes: 8192,
      decoded: [vector],
    });
    // 4000 bytes end in line 63; 120 of float32 do not fit the rest of the page.
    expect([...decodedOffsets]).toEqual([['v', 4032]]);
    expect(byteLength).toBe(8192);
  });

  it('is nothing for nothing', () => {
    expect(layOutResidents([], STAGING)).toMatchObject({ batches: [], byteLength: 0, stagingBytes: 0 });
  });
});
