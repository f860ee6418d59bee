// linear: rows of unit length, and blocks of scales as checkpoints lay them out.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import { PLAIN_LINEAR } from '../commands.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { SUMMED } from '../tolerances.js';

/** DeepSeek's blocks, one scale for a row, one for everything, and blocks that end within vectors. */
const BLOCKS = [
  [128, 128],
  [1, 300],
  [1000, 1000],
  [3, 7],
  [1, 1],
] as const;

export function linearOptionCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype) =>
      linearCase(
        `${dtype} with normalized rows`,
        dtype,
        [1, 17, 64, 100].flatMap((k) => [1, 5].map((t) => normalized(dtype, k, t))),
      ),
    ),
    ...BLOCKS.map((block) =>
      linearCase(
        `f8e4m3 with a scale per ${block[0]} × ${block[1]}`,
        'f8e4m3',
        [1, 5].map((t) => scaled(block, t)),
      ),
    ),
    linearCase(
      'f8e4m3 with bfloat16 scales',
      'f8e4m3',
      [1, 5, 20].map((t) => scaled([16, 48], t, 'bf16')),
    ),
    linearCase(
      'f8e4m3 rows of a larger weight',
      'f8e4m3',
      [1, 2, 127, 128, 129].map((firstRow) => rowsOf(firstRow)),
    ),
  ];
}

function linearCase(name: string, dtype: ElementDType, scenarios: readonly Scenario[]): ConformanceCase {
  return {
    name: `linear ${name}`,
    op: 'linear',
    dtype,
    group: 'accuracy',
    tolerance: SUMMED,
    run: (backend) => compareWithReference(backend, scenarios),
  };
}

/** Rows of very different lengths; the last is zero and stays so. */
function normalized(dtype: ElementDType, k: number, t: number): Scenario {
  return {
    label: `K=${k} T=${t}`,
    outputs: (bench) => {
      const n = 19;
      const random = new Random(k * 11 + t);
      const data = random.normals(n * k).map((value, i) => {
        const row = Math.floor(i / k);
        return row === n - 1 ? 0 : value * 2 ** ((row % 9) - 4);
      });
      const x = bench.tensor(t, k, { data: random.normals(t * k) });
      const out = bench.tensor(t, n);
      const weight = bench.weight(dtype, [n, k], { data, byteOffset: 1 });
      return bench.run([{ op: 'linear', x, weight, bias: undefined, normalizeRows: true, out }], [out]);
    },
  };
}

/** Magnitudes change from block to block, so that a wrong scale cannot go unseen. */
function scaled(block: readonly [number, number], t: number, scaleDType: 'f32' | 'bf16' = 'f32'): Scenario {
  return {
    label: `T=${t}`,
    outputs: (bench) => {
      const [n, k] = [150, 300];
      const random = new Random(block[0] * 13 + t);
      const data = random.normals(n * k).map((value, i) => value * (1 + (i % 5) + (Math.floor(i / k) % 7)));
      const x = bench.tensor(t, k, { data: random.normals(t * k) });
      const out = bench.tensor(t, n);
      const weight = bench.weight('f8e4m3', [n, k], { data, block, scaleDType });
      return bench.run([{ op: 'linear', x, weight, ...PLAIN_LINEAR, out }], [out]);
    },
  };
}

/** A block of rows that starts within, at and behind a block of scales. */
function rowsOf(firstRow: number): Scenario {
  return {
    label: `from row ${firstRow}`,
    outputs: (bench) => {
      const [n, k, rows] = [260, 140, 131];
      const random = new Random(firstRow);
      const data = random.normals(n * k).map((value, i) => value * (1 + Math.floor(i / k / 128)));
      const x = bench.tensor(2, k, { data: random.normals(2 * k) });
      const out = bench.tensor(2, rows);
      const whole = bench.weight('f8e4m3', [n, k], { data, block: [128, 128] });
      const weight = {
        ...whole,
        byteOffset: whole.byteOffset + firstRow * k,
        rows,
        ...(whole.scales && { scales: { ...whole.scales, firstRow } }),
      };
      return bench.run([{ op: 'linear', x, weight, ...PLAIN_LINEAR, out }], [out]);
    },
  };
}
