// linear: every dtype, every tail of every vector length, GEMV and GEMM sizes, strides and byte offsets.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { SUMMED } from '../tolerances.js';

const K = [1, 7, 15, 16, 17, 31, 33, 64, 100, 1000];
const N = [1, 3, 8, 17];
const T = [1, 2, 3, 5, 8, 17, 64];

interface Shape {
  k: number;
  n: number;
  t: number;
}

interface Variation {
  byteOffset?: number;
  /** Bytes the bias starts into its memory; no bias when undefined. */
  biasOffset?: number;
  /** Elements between the rows of x and out: both are column views. */
  padding?: number;
  /** Standard deviation of x and of the weights. */
  magnitudes?: readonly [x: number, weights: number];
}

export function linearCases(): ConformanceCase[] {
  return DTYPES.flatMap((dtype) => {
    const linearCase = (name: string, scenarios: () => Scenario[]): ConformanceCase => ({
      name: `linear ${dtype} ${name}`,
      op: 'linear',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) => compareWithReference(backend, scenarios()),
    });
    const on = (shape: Shape, variation: Variation = {}): Scenario => scenario(dtype, shape, variation);
    return [
      ...K.map((k) => linearCase(`K=${k}`, () => N.flatMap((n) => T.map((t) => on({ k, n, t }))))),
      linearCase('K=4096', () => [1, 5].map((t) => on({ k: 4096, n: 33, t }))),
      linearCase('of many rows', () => [1, 2, 70].map((t) => on({ k: 64, n: 517, t }))),
      linearCase('at odd byte offsets', () =>
        [1, 2, 3, 5, 63].flatMap((byteOffset) =>
          [7, 64, 100].flatMap((k) => [1, 8].map((t) => on({ k, n: 9, t }, { byteOffset }))),
        ),
      ),
      linearCase('with bias', () =>
        [0, 1].flatMap((biasOffset) =>
          [1, 5, 17].flatMap((t) => [1, 17, 40].map((n) => on({ k: 33, n, t }, { biasOffset }))),
        ),
      ),
      linearCase('between column views', () =>
        [1, 2, 8].flatMap((t) => [16, 33].map((k) => on({ k, n: 17, t }, { padding: 7, biasOffset: 0 }))),
      ),
      linearCase('of very small values', () => [on({ k: 100, n: 17, t: 3 }, { magnitudes: [1e-12, 1e-2] })]),
      linearCase('of very large values', () => [on({ k: 100, n: 17, t: 3 }, { magnitudes: [1e15, 1e3] })]),
    ];
  });
}

function scenario(dtype: ElementDType, { k, n, t }: Shape, variation: Variation): Scenario {
  const { byteOffset = 0, biasOffset, padding = 0, magnitudes = [1, 1] } = variation;
  return {
    label: `K=${k} N=${n} T=${t} at byte ${byteOffset}`,
    outputs: (bench) => {
      const random = new Random(k * 7919 + n * 101 + t);
      const x = bench.tensor(t, k, { data: random.normals(t * k, magnitudes[0]), padding });
      const out = bench.tensor(t, n, { padding });
      const weight = bench.weight(dtype, [n, k], { data: random.normals(n * k, magnitudes[1]), byteOffset });
      const bias =
        biasOffset === undefined
          ? undefined
          : bench.weight(dtype, [1, n], { data: random.normals(n), byteOffset: biasOffset });
      return bench.run([{ op: 'linear', x, weight, bias, normalizeRows: false, out }], [out]);
    },
  };
}
