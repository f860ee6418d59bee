// A row alone and the same row among others: the same bits. Greedy decoding gives the same tokens whatever
// batch a prompt shares only if this holds.

import type { Backend } from '../../backend.js';
import { DTYPES, type DType } from '../../dtype.js';
import { onBench } from '../compare-with-reference.js';
import type { ConformanceCase, ConformanceResult } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { Random } from '../random.js';
import { concatenate } from '../workbench.js';
import { attentionScenario, type AttentionShape, type Passes } from './attention-scenario.js';
import { EXACT } from '../tolerances.js';

export function batchInvarianceCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype): ConformanceCase => ({
      name: `linear ${dtype} rows do not depend on their batch`,
      op: 'linear',
      dtype,
      group: 'batch-invariance',
      tolerance: EXACT,
      run: (backend) => linearAloneAndTogether(backend, dtype),
    })),
    ...[undefined, 9].map((window): ConformanceCase => ({
      name: `attention ${window ? 'with a window ' : ''}sequences do not depend on their batch`,
      op: 'attention',
      group: 'batch-invariance',
      tolerance: EXACT,
      run: (backend) =>
        attentionAloneAndTogether(backend, { heads: 4, kvHeads: 2, headDim: 20, ...(window && { window }) }),
    })),
  ];
}

async function linearAloneAndTogether(backend: Backend, dtype: DType): Promise<ConformanceResult> {
  const deviation = new Deviation();
  const n = 37;
  for (const k of [16, 33, 100, 1000]) {
    const random = new Random(k);
    const rows = random.normals(64 * k);
    const weights = random.normals(n * k);
    const linear = (first: number, count: number): Promise<Float32Array> =>
      onBench(backend, (bench) => {
        const x = bench.tensor(count, k, { data: rows.subarray(first * k, (first + count) * k) });
        const out = bench.tensor(count, n);
        const weight = bench.weight(dtype, [n, k], { data: weights });
        return bench.run([{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out }], [out]);
      });
    const alone: Float32Array[] = [];
    for (let row = 0; row < 64; row++) alone.push(await linear(row, 1));
    for (const count of [2, 3, 4, 5, 7, 8, 16, 17, 31, 64]) {
      deviation.add(`K=${k}, ${count} rows`, await linear(0, count), concatenate(alone.slice(0, count)));
    }
  }
  return deviation.result();
}

async function attentionAloneAndTogether(
  backend: Backend,
  shape: AttentionShape,
): Promise<ConformanceResult> {
  const deviation = new Deviation();
  const sequences: readonly Passes[] = [[15, 1, 1, 1], [1, 1, 20, 1], [33, 5, 1, 17], [2]];
  const together = await onBench(backend, attentionScenario(shape, sequences).outputs);
  const alone: Float32Array[] = [];
  for (const [index, passes] of sequences.entries()) {
    alone.push(await onBench(backend, attentionScenario(shape, [passes], [index]).outputs));
  }
  deviation.add('sequences one after the other', together, concatenate(alone));
  return deviation.result();
}
