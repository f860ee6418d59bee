// Packed formats in the ops that take them: exact values, sums over rows and over columns, rows that do not depend on
// their batch. A backend that does not list a format must refuse it.

import type { Backend } from '../../backend.js';
import { blockElementsOf, PACKED_DTYPES, type PackedDType } from '../../dtype.js';
import { BackendError } from '../../errors.js';
import { PLAIN_LINEAR } from '../commands.js';
import { compareWithReference, onBench, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase, ConformanceGroup, ConformanceResult } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { packedWeight } from '../packed-weight.js';
import { Random } from '../random.js';
import { EXACT, SUMMED } from '../tolerances.js';
import { concatenate } from '../workbench.js';

/** Rows of x: alone, a few, and more than any register tile or panel of rows takes at once. */
const ROWS = [1, 3, 17, 65];
const MOST_ROWS = 65;
/** Columns of linearTransposed: tasks begin and end within blocks. */
const COLUMNS = 768;
/** Columns of formats with small blocks or none: rows begin within bytes, and end within vectors, groups and blocks. */
const RAGGED = [1, 6, 67, 130, 1205];

export function packedCases(): ConformanceCase[] {
  return PACKED_DTYPES.flatMap((dtype): ConformanceCase[] => {
    const packedCase = (
      op: ConformanceCase['op'],
      group: ConformanceGroup,
      run: ConformanceCase['run'],
    ): ConformanceCase => ({
      name: `${op} ${dtype}${group === 'batch-invariance' ? ' rows do not depend on their batch' : ''}`,
      op,
      dtype,
      group,
      tolerance: group === 'accuracy' && op !== 'embedding' ? SUMMED : EXACT,
      run: async (backend) => (backend.dtypes.includes(dtype) ? run(backend) : refusal(backend, dtype)),
    });
    const accuracy = (op: ConformanceCase['op'], scenarios: readonly Scenario[]): ConformanceCase =>
      packedCase(op, 'accuracy', (backend) => compareWithReference(backend, scenarios));
    const invariance = (op: ConformanceCase['op'], scenario: (rows: number) => Scenario): ConformanceCase =>
      packedCase(op, 'batch-invariance', (backend) => aloneAndTogether(backend, scenario));
    const ragged = RAGGED.filter(
      (cols) => blockElementsOf(dtype) <= 2 && cols % blockElementsOf(dtype) === 0,
    );
    return [
      accuracy(
        'embedding',
        [256, 768, ...ragged].map((cols) => embedding(dtype, cols)),
      ),
      accuracy(
        'linear',
        [256, 1280, ...ragged].flatMap((k) => ROWS.map((t) => linear(dtype, k, t))),
      ),
      accuracy('linearTransposed', [
        ...[16, 72].flatMap((k) => ROWS.map((t) => linearTransposed(dtype, [k, COLUMNS], t))),
        ...ragged.flatMap((n) => [1, 17].map((t) => linearTransposed(dtype, [16, n], t))),
      ]),
      invariance('linear', (t) => linear(dtype, ragged.at(-1) ?? 1280, t)),
      invariance('linearTransposed', (t) => linearTransposed(dtype, [40, COLUMNS], t)),
    ];
  });
}

function embedding(dtype: PackedDType, cols: number): Scenario {
  return {
    label: `[40, ${cols}]`,
    outputs: (bench) => {
      const table = packedWeight(bench, dtype, { rows: 40, cols, random: new Random(cols) });
      const ids = Uint32Array.of(39, 0, 17, 3, 3, 16);
      const out = bench.tensor(ids.length, cols, { padding: 3 });
      return bench.run([{ op: 'embedding', table, ids, out }], [out]);
    },
  };
}

/** The same x whatever `t`, of which the first t rows are used. */
function linear(dtype: PackedDType, k: number, t: number): Scenario {
  return {
    label: `K=${k} T=${t}`,
    outputs: (bench) => {
      // Whole tiles and a rest, but for gptq4, whose rows come by eight.
      const n = dtype === 'gptq4' ? 24 : 19;
      const random = new Random(k);
      const x = bench.tensor(t, k, { data: random.normals(MOST_ROWS * k).subarray(0, t * k), padding: 1 });
      const out = bench.tensor(t, n);
      const weight = packedWeight(bench, dtype, { rows: n, cols: k, random });
      const bias = bench.weight('bf16', [1, n], { data: random.normals(n) });
      return bench.run([{ op: 'linear', x, ...PLAIN_LINEAR, weight, bias, out }], [out]);
    },
  };
}

function linearTransposed(dtype: PackedDType, [k, n]: readonly [number, number], t: number): Scenario {
  return {
    label: `K=${k} N=${n} T=${t}`,
    outputs: (bench) => {
      const random = new Random(k);
      const x = bench.tensor(t, k, { data: random.normals(MOST_ROWS * k).subarray(0, t * k) });
      const out = bench.tensor(t, n);
      const weight = packedWeight(bench, dtype, { rows: k, cols: n, random });
      const bias = bench.weight('f32', [1, n], { data: random.normals(n) });
      return bench.run([{ op: 'linearTransposed', x, weight, bias, accumulate: false, out }], [out]);
    },
  };
}

async function aloneAndTogether(
  backend: Backend,
  scenario: (rows: number) => Scenario,
): Promise<ConformanceResult> {
  const deviation = new Deviation();
  const first = await onBench(backend, scenario(1).outputs);
  for (const rows of ROWS) {
    const together = await onBench(backend, scenario(rows).outputs);
    deviation.add(`${rows} rows`, concatenate([together.subarray(0, first.length)]), first);
  }
  return deviation.result();
}

async function refusal(backend: Backend, dtype: PackedDType): Promise<ConformanceResult> {
  const deviation = new Deviation();
  try {
    await onBench(backend, embedding(dtype, 256).outputs);
    deviation.fail(`Expected ${dtype} to be refused, since the backend does not list it`);
  } catch (error) {
    if (!(error instanceof BackendError) || error.code !== 'INVALID_OPERAND') deviation.fail(String(error));
  }
  return deviation.result();
}
