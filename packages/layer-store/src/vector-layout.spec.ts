import type { ResolvedWeight } from './resolve-weights.js';
import { layOutVectors } from './vector-layout.js';

const vector = (name: string, byteOffset: number, length: number, path = '/a'): ResolvedWeight => ({
  name,
  dtype: 'f32',
  rows: 1,
  cols: length,
  isVector: true,
  whole: false,
  path,
  byteOffset,
  byteLength: length * 4,
  rowBytes: length * 4,
  scales: undefined,
});

describe('layOutVectors', () => {
  it('reads neighbours together and far ones apart', () => {
    const { vectors, reads, byteLength } = layOutVectors([
      vector('c', 100_000, 10),
      vector('a', 5000, 10),
      vector('b', 5040, 1000),
    ]);
    // a and b touch pages 1 and 2 of the file (4096 … 12288), c touches page 24 (98304).
    expect(reads).toEqual([
      { path: '/a', fileOffset: 4096, byteLength: 8192, bufferOffset: 0, neededBytes: 9040 - 4096 },
      { path: '/a', fileOffset: 98_304, byteLength: 4096, bufferOffset: 8192, neededBytes: 100_040 - 98_304 },
    ]);
    expect(byteLength).toBe(12_288);
    expect(vectors.map(({ weight, bufferOffset }) => [weight.name, bufferOffset])).toEqual([
      ['a', 904],
      ['b', 944],
      ['c', 8192 + 1696],
    ]);
  });

  it('places a vector that several layers name once', () => {
    expect(layOutVectors([vector('a', 0, 4), vector('a', 0, 4)]).vectors).toHaveLength(1);
  });

  it('keeps files apart', () => {
    expect(layOutVectors([vector('a', 0, 4), vector('b', 16, 4, '/b')]).reads).toHaveLength(2);
  });
});
