// linearTransposed: every dtype, every tail, and a weight that comes by blocks of k.

import type { Backend } from '../../backend.js';
import { byteLengthOf, DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, onBench, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase, ConformanceResult } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { Random } from '../random.js';
import { EXACT, SUMMED } from '../tolerances.js';
import type { WeightSlice } from '../../weight.js';

interface Shape {
  k: number;
  n: number;
  t: number;
}

const SHAPES: readonly Shape[] = [1, 7, 16, 33, 100].flatMap((k) =>
  [1, 3, 8, 17, 64, 100].flatMap((n) => [1, 2, 5, 17].map((t) => ({ k, n, t }))),
);

/** Rows of the weight in each block. */
const CUTS: readonly (readonly number[])[] = [
  [50, 50],
  [1, 99],
  [7, 16, 33, 44],
  new Array<number>(100).fill(1),
];

export function linearTransposedCases(): ConformanceCase[] {
  return DTYPES.flatMap((dtype): ConformanceCase[] => [
    {
      name: `linearTransposed ${dtype}`,
      op: 'linearTransposed',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) =>
        compareWithReference(
          backend,
          SHAPES.map((shape) => byBlocks(dtype, shape, [shape.k])),
        ),
    },
    {
      // Apart, since its errors and its sums are larger than those of the others: each against its own size.
      name: `linearTransposed ${dtype} over 1000 terms`,
      op: 'linearTransposed',
      dtype,
      group: 'accuracy',
      tolerance: SUMMED,
      run: (backend) => compareWithReference(backend, [byBlocks(dtype, { k: 1000, n: 33, t: 3 }, [1000])]),
    },
    {
      name: `linearTransposed ${dtype} by blocks is the same`,
      op: 'linearTransposed',
      dtype,
      group: 'behaviour',
      tolerance: EXACT,
      run: (backend) => blocksAndWhole(backend, dtype),
    },
  ]);
}

/** A new sum with a bias, block after block; and the same on top of what the output holds, without one. */
function byBlocks(dtype: ElementDType, { k, n, t }: Shape, cut: readonly number[]): Scenario {
  return {
    label: `K=${k} N=${n} T=${t} in ${cut.length} blocks`,
    outputs: (bench) => {
      const random = new Random(k * 7907 + n * 103 + t);
      const x = bench.tensor(t, k, { data: random.normals(t * k), padding: 2 });
      const out = bench.tensor(t, n, { padding: 3 });
      const held = bench.tensor(t, n, { data: random.normals(t * n) });
      const whole = bench.weight(dtype, [k, n], { data: random.normals(k * n), byteOffset: 1 });
      const bias = bench.weight(dtype, [1, n], { data: random.normals(n) });
      let start = 0;
      const commands = cut.flatMap((rows) => {
        const operands = { x: x.columns(start, rows), weight: rowsOf(whole, start, rows) };
        const accumulate = start > 0;
        start += rows;
        const op = { op: 'linearTransposed', ...operands } as const;
        return [
          { ...op, bias: accumulate ? undefined : bias, accumulate, out },
          { ...op, bias: undefined, accumulate: true, out: held },
        ];
      });
      return bench.run(commands, [out, held]);
    },
  };
}

function rowsOf(whole: WeightSlice, firstRow: number, rows: number): WeightSlice {
  return {
    ...whole,
    byteOffset: whole.byteOffset + byteLengthOf(whole.dtype, firstRow * whole.cols),
    rows,
    ...(whole.scales && { scales: { ...whole.scales, firstRow } }),
  };
}

async function blocksAndWhole(backend: Backend, dtype: ElementDType): Promise<ConformanceResult> {
  const deviation = new Deviation();
  for (const t of [1, 5, 17]) {
    const shape = { k: 100, n: 37, t };
    const whole = await onBench(backend, byBlocks(dtype, shape, [100]).outputs);
    for (const cut of CUTS) {
      const { label, outputs } = byBlocks(dtype, shape, cut);
      deviation.add(label, await onBench(backend, outputs), whole);
    }
  }
  return deviation.result();
}
