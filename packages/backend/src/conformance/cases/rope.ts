// rope: both pairings, whole and partial rotary dimensions from any column, one and many heads.

import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { ELEMENTWISE } from '../tolerances.js';

const STYLES = ['half', 'interleaved'] as const;

const HEADS = [
  { headDim: 2, rotaryDim: 2 },
  { headDim: 8, rotaryDim: 8 },
  { headDim: 20, rotaryDim: 20 },
  { headDim: 20, rotaryDim: 10 },
  { headDim: 33, rotaryDim: 6 },
  { headDim: 64, rotaryDim: 64 },
  { headDim: 128, rotaryDim: 64 },
  { headDim: 128, rotaryDim: 128 },
  { headDim: 192, rotaryDim: 64, rotaryStart: 128 },
  { headDim: 20, rotaryDim: 6, rotaryStart: 7 },
];

export function ropeCases(): ConformanceCase[] {
  return STYLES.flatMap((style) =>
    HEADS.map(({ rotaryStart = 0, ...head }): ConformanceCase => ({
      name: `rope ${style} ${head.rotaryDim} of ${head.headDim} columns${rotaryStart ? ` from ${rotaryStart}` : ''}`,
      op: 'rope',
      group: 'accuracy',
      tolerance: ELEMENTWISE,
      run: (backend) =>
        compareWithReference(
          backend,
          [1, 3, 8].flatMap((heads) =>
            [1, 5, 17].map((rows) => scenario({ style, ...head, rotaryStart, heads, rows })),
          ),
        ),
    })),
  );
}

function scenario(options: {
  style: 'half' | 'interleaved';
  headDim: number;
  rotaryStart: number;
  rotaryDim: number;
  heads: number;
  rows: number;
}): Scenario {
  const { style, headDim, rotaryStart, rotaryDim, heads, rows } = options;
  return {
    label: `${rows} rows of ${heads} heads`,
    outputs: (bench) => {
      const random = new Random(heads * 17 + rows);
      const cols = heads * headDim;
      const angles = random.normals((rows * rotaryDim) / 2, 10);
      const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding: heads });
      const cos = bench.tensor(rows, rotaryDim / 2, { data: angles.map(Math.cos) });
      const sin = bench.tensor(rows, rotaryDim / 2, { data: angles.map(Math.sin) });
      return bench.run([{ op: 'rope', x, cos, sin, headDim, rotaryStart, rotaryDim, style }], [x]);
    },
  };
}
