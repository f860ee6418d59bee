// layerNorm: whole rows and groups, with and without weight and bias, in place and not, off-centre values.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { LARGE_MEAN, SUMMED } from '../tolerances.js';

interface Shape {
  width: number;
  groups: number;
  rows: number;
}

const SHAPES: readonly Shape[] = [2, 7, 15, 16, 17, 33, 64, 100, 1000].flatMap((width) =>
  [
    { groups: 1, rows: 1 },
    { groups: 1, rows: 5 },
    { groups: 3, rows: 2 },
  ].map((shape) => ({ width, ...shape })),
);

export function layerNormCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype): ConformanceCase => ({
      name: `layerNorm ${dtype}`,
      op: 'layerNorm',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) =>
        compareWithReference(
          backend,
          SHAPES.map((shape) => scenario(shape, dtype)),
        ),
    })),
    {
      name: 'layerNorm of values about 1000',
      op: 'layerNorm',
      group: 'accuracy',
      tolerance: LARGE_MEAN,
      run: (backend) =>
        compareWithReference(
          backend,
          [17, 100, 1000].map((width) => scenario({ width, groups: 1, rows: 3 }, 'f32', 1000)),
        ),
    },
  ];
}

/** Weight and bias of a group, of the whole row, and neither; the last in place. */
function scenario({ width, groups, rows }: Shape, dtype: ElementDType, mean = 0): Scenario {
  return {
    label: `[${rows}, ${groups} × ${width}]`,
    outputs: (bench) => {
      const random = new Random(width * 37 + groups);
      const cols = groups * width;
      const vector = (length: number) =>
        bench.weight(dtype, [1, length], { data: random.normals(length), byteOffset: length % 4 });
      const data = random.normals(rows * cols).map((value) => mean + value);
      const x = bench.tensor(rows, cols, { data, padding: 3 });
      const out = bench.tensor(rows, cols, { padding: 1 });
      const out2 = bench.tensor(rows, cols);
      const norm = { op: 'layerNorm', x, groupWidth: width, eps: 1e-5 } as const;
      return bench.run(
        [
          { ...norm, weight: vector(width), bias: vector(width), out },
          { ...norm, weight: vector(cols), bias: vector(cols), out: out2 },
          { ...norm, weight: undefined, bias: undefined, out: x },
        ],
        [out, out2, x],
      );
    },
  };
}
