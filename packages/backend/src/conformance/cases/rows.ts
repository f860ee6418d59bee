// gatherRows and scatterAddRows: what a routed mixture of experts moves rows with. ungroup: columns likewise.

import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { ELEMENTWISE, EXACT } from '../tolerances.js';

const COLS = [1, 7, 16, 33, 100];

/** Rows of the source, and which of them are named: repeats, one, all, reversed. */
const PICKS = [
  { rows: 1, indices: [0] },
  { rows: 5, indices: [4, 0, 0, 2, 4, 4, 1] },
  { rows: 8, indices: [7, 6, 5, 4, 3, 2, 1, 0] },
  { rows: 64, indices: [63] },
];

/** The whole group, its first, middle and last columns, one column. */
const PARTS = [
  { groupWidth: 5, start: 0, count: 5 },
  { groupWidth: 33, start: 0, count: 16 },
  { groupWidth: 40, start: 8, count: 17 },
  { groupWidth: 64, start: 32, count: 32 },
  { groupWidth: 7, start: 6, count: 1 },
];

export function rowsCases(): ConformanceCase[] {
  return [
    {
      name: 'gatherRows',
      op: 'gatherRows',
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) =>
        compareWithReference(
          backend,
          COLS.flatMap((cols) => PICKS.map((pick) => gather(cols, pick))),
        ),
    },
    {
      name: 'gatherRows with scales',
      op: 'gatherRows',
      group: 'accuracy',
      tolerance: ELEMENTWISE,
      run: (backend) =>
        compareWithReference(
          backend,
          COLS.flatMap((cols) => PICKS.map((pick) => gather(cols, pick, true))),
        ),
    },
    {
      name: 'scatterAddRows with repeated rows',
      op: 'scatterAddRows',
      group: 'accuracy',
      tolerance: ELEMENTWISE,
      run: (backend) =>
        compareWithReference(
          backend,
          COLS.flatMap((cols) => PICKS.map((pick) => scatter(cols, pick))),
        ),
    },
    {
      name: 'ungroup',
      op: 'ungroup',
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) => compareWithReference(backend, PARTS.map(ungroup)),
    },
  ];
}

function gather(cols: number, { rows, indices }: (typeof PICKS)[number], scaled = false): Scenario {
  return {
    label: `rows ${indices.join(' ')} of [${rows}, ${cols}]`,
    outputs: (bench) => {
      const random = new Random(cols);
      const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding: 2 });
      const out = bench.tensor(indices.length, cols, { padding: 1 });
      const scales = scaled ? random.normals(indices.length) : undefined;
      return bench.run([{ op: 'gatherRows', x, indices: Uint32Array.from(indices), scales, out }], [out]);
    },
  };
}

function scatter(cols: number, { rows, indices }: (typeof PICKS)[number]): Scenario {
  return {
    label: `to rows ${indices.join(' ')} of [${rows}, ${cols}]`,
    outputs: (bench) => {
      const random = new Random(cols);
      const count = indices.length;
      const x = bench.tensor(count, cols, { data: random.normals(count * cols), padding: 1 });
      const out = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding: 2 });
      const scales = random.normals(count);
      return bench.run([{ op: 'scatterAddRows', x, indices: Uint32Array.from(indices), scales, out }], [out]);
    },
  };
}

function ungroup(part: (typeof PARTS)[number]): Scenario {
  const { groupWidth, start, count } = part;
  return {
    label: `columns ${start} to ${start + count} of ${groupWidth}`,
    outputs: (bench) => {
      const [rows, groups] = [3, 4];
      const data = new Random(groupWidth).normals(rows * groups * groupWidth);
      const x = bench.tensor(rows, groups * groupWidth, { data, padding: 2 });
      const out = bench.tensor(rows, groups * count, { padding: 1 });
      const one = bench.tensor(rows, count);
      return bench.run(
        [
          { op: 'ungroup', x, ...part, out },
          { op: 'ungroup', x: x.columns(groupWidth, groupWidth), ...part, out: one },
        ],
        [out, one],
      );
    },
  };
}
