// rmsNorm: whole rows and groups, weights of a group, of a row and none, in place and not, very small and very
// large values.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { SUMMED } from '../tolerances.js';

interface Shape {
  width: number;
  groups: number;
  rows: number;
  magnitude: number;
}

const SHAPES: readonly Shape[] = [1, 7, 15, 16, 17, 33, 64, 100, 1000].flatMap((width) =>
  [
    { groups: 1, rows: 1 },
    { groups: 1, rows: 5 },
    { groups: 3, rows: 2 },
    { groups: 8, rows: 3 },
  ].map((shape) => ({ width, ...shape, magnitude: 1 })),
);

/** Rows whose mean square is far below eps, and rows whose squares are large but finite in float32. */
const MAGNITUDES: readonly Shape[] = [1e-10, 1e-4, 1e4, 1e15].map((magnitude) => ({
  width: 100,
  groups: 1,
  rows: 2,
  magnitude,
}));

export function rmsNormCases(): ConformanceCase[] {
  return DTYPES.flatMap((dtype): ConformanceCase[] => [
    {
      name: `rmsNorm ${dtype}`,
      op: 'rmsNorm',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) =>
        compareWithReference(
          backend,
          SHAPES.map((shape) => scenario(dtype, shape)),
        ),
    },
    ...MAGNITUDES.map((shape): ConformanceCase => ({
      name: `rmsNorm ${dtype} of values about ${shape.magnitude}`,
      op: 'rmsNorm',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) => compareWithReference(backend, [scenario(dtype, shape)]),
    })),
  ]);
}

function scenario(dtype: ElementDType, { width, groups, rows, magnitude }: Shape): Scenario {
  return {
    label: `[${rows}, ${groups} × ${width}]`,
    outputs: (bench) => {
      const random = new Random(width * 31 + groups);
      const cols = groups * width;
      const data = random.normals(width);
      const weight = bench.weight(dtype, [1, width], { data, byteOffset: width % 4 });
      const x = bench.tensor(rows, cols, { data: random.normals(rows * cols, magnitude), padding: 3 });
      const y = bench.tensor(rows, cols, { data: random.normals(rows * cols, magnitude) });
      const rowWeight = bench.weight(dtype, [1, cols], { data: random.normals(cols), byteOffset: 1 });
      const out = bench.tensor(rows, cols, { padding: 1 });
      const out2 = bench.tensor(rows, cols);
      const out3 = bench.tensor(rows, cols);
      const norm = { op: 'rmsNorm', groupWidth: width, weightOffset: 0 } as const;
      return bench.run(
        [
          { ...norm, x, weight, eps: 1e-6, out },
          { ...norm, x, weight: rowWeight, eps: 1e-6, weightOffset: 1, out: out2 },
          { ...norm, x, weight: undefined, eps: 1e-6, out: out3 },
          { ...norm, x: y, weight, eps: 1e-5, weightOffset: 1, out: y },
        ],
        [out, out2, out3, y],
      );
    },
  };
}
