import { orderKey, selectThreshold } from './select-threshold.js';
import { Xoshiro128 } from './xoshiro128.js';

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);
const keyOf = (value: number): number => orderKey(bitsOf(Float32Array.of(value))[0] ?? 0);

function randomScores(count: number, seed: number): Float32Array {
  const random = Xoshiro128.fromSeed(seed);
  // A quarter of them rounded to whole numbers, so that equal scores occur.
  return Float32Array.from({ length: count }, (_, i) => {
    const score = (random.nextFloat() - 0.7) * 20;
    return i % 4 === 0 ? Math.round(score) : score;
  });
}

describe('orderKey', () => {
  it('orders as the floats do', () => {
    const ascending = [-Infinity, -3.5, -1e-30, 0, 1e-40, 1, 1.0000001, 2, 65504, Infinity].map(keyOf);
    expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
    expect(new Set(ascending).size).toBe(ascending.length);
  });
});

describe('selectThreshold', () => {
  it.each([1, 2, 7, 50, 999, 1000])('finds the score of rank %i that sorting finds', (rank) => {
    const scores = randomScores(1000, rank);
    const expected = [...scores].sort((a, b) => b - a)[rank - 1] ?? NaN;
    const { thresholdKey, measureAbove } = selectThreshold(bitsOf(scores), scores.length, { target: rank });
    expect(thresholdKey).toBe(keyOf(expected));
    expect(measureAbove).toBe([...scores].filter((score) => score > expected).length);
  });

  it.each([0.001, 0.25, 0.5, 0.9, 0.999])('finds where the descending sum of weights reaches %d', (share) => {
    const scores = randomScores(500, 3);
    const weights = Float64Array.from(scores, (score) => Math.exp(score));
    const target = share * weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    const expected = [...scores]
      .sort((a, b) => b - a)
      .find((score) => {
        sum += Math.exp(score);
        return sum >= target;
      });
    const selection = selectThreshold(bitsOf(scores), scores.length, { target, measures: weights });
    expect(selection.thresholdKey).toBe(keyOf(expected ?? NaN));
  });

  it('lets everything through when the target is out of reach', () => {
    const { thresholdKey } = selectThreshold(bitsOf(Float32Array.of(1, 2, 3)), 3, { target: 4 });
    expect(thresholdKey).toBe(0);
  });
});
