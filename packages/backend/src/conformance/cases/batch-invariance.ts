// A row alone and the same row among others: the same bits. Greedy decoding gives the same tokens whatever
// batch a prompt shares only if this holds.

import type { Backend } from '../../backend.js';
import { DTYPES } from '../../dtype.js';
import { onBench } from '../compare-with-reference.js';
import type { ConformanceCase, ConformanceResult } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { Random } from '../random.js';
import { EXACT } from '../tolerances.js';
import { concatenate } from '../workbench.js';
import { matrixOps, ROW_OPS, type RowOp } from './row-ops.js';
import { attentionOp, gatedDeltaOp, latentAttentionOp, shortConvOp } from './sequence-ops.js';
import { sequenceScenario, type Passes, type SequenceOp } from './sequence-scenario.js';

const HEADS = { heads: 4, kvHeads: 2, headDim: 20 };

const SEQUENCE_OPS: Readonly<Record<string, SequenceOp>> = {
  attention: attentionOp(HEADS),
  'attention with a window': attentionOp({ ...HEADS, window: 9 }),
  'attention with sinks': attentionOp({ ...HEADS, sinks: 'bf16' }),
  'attention with capped scores': attentionOp({ ...HEADS, softcap: 5 }),
  'attention with linear biases': attentionOp({ ...HEADS, alibiSlopes: [0.5, 0.25, 0.1, 0] }),
  latentAttention: latentAttentionOp({ heads: 2, rank: 20, nopeDim: 8, ropeDim: 4, valueDim: 12 }, 'bf16'),
  shortConv: shortConvOp({ channels: 37, kernel: 4 }, 'bf16'),
  gatedDelta: gatedDeltaOp({ keyHeads: 2, valueHeads: 4, keyDim: 12, valueDim: 20 }, 'f32'),
};

export function batchInvarianceCases(): ConformanceCase[] {
  const rowOps = [...ROW_OPS, ...DTYPES.flatMap(matrixOps)];
  return [
    ...rowOps.map((rowOp) =>
      invarianceCase(`${rowOp.name} rows`, rowOp.op, (backend) => rowsAloneAndTogether(backend, rowOp)),
    ),
    ...Object.entries(SEQUENCE_OPS).map(([name, op]) =>
      invarianceCase(`${name} sequences`, op.op, (backend) => sequencesAloneAndTogether(backend, op)),
    ),
  ];
}

function invarianceCase(what: string, op: string, run: ConformanceCase['run']): ConformanceCase {
  return {
    name: `${what} do not depend on their batch`,
    op,
    group: 'batch-invariance',
    tolerance: EXACT,
    run,
  };
}

async function rowsAloneAndTogether(backend: Backend, rowOp: RowOp): Promise<ConformanceResult> {
  const deviation = new Deviation();
  for (const width of rowOp.widths) {
    const cols = width * (rowOp.colsPerWidth ?? 1);
    const rows = new Random(width).normals(64 * cols, 2);
    const outputs = (first: number, count: number): Promise<Float32Array> =>
      onBench(backend, (bench) => {
        const x = bench.tensor(count, cols, { data: rows.subarray(first * cols, (first + count) * cols) });
        const command = rowOp.command(bench, x, width);
        return bench.run([command], ['out' in command ? command.out : x]);
      });
    const alone: Float32Array[] = [];
    for (let row = 0; row < 64; row++) alone.push(await outputs(row, 1));
    for (const count of [2, 3, 4, 5, 7, 8, 16, 17, 31, 64]) {
      deviation.add(
        `width ${width}, ${count} rows`,
        await outputs(0, count),
        concatenate(alone.slice(0, count)),
      );
    }
  }
  return deviation.result();
}

async function sequencesAloneAndTogether(backend: Backend, op: SequenceOp): Promise<ConformanceResult> {
  const deviation = new Deviation();
  const sequences: readonly Passes[] = [[15, 1, 1, 1], [1, 1, 20, 1], [33, 5, 1, 17], [2]];
  const together = await onBench(backend, sequenceScenario(op, sequences).outputs);
  const alone: Float32Array[] = [];
  for (const [index, passes] of sequences.entries()) {
    alone.push(await onBench(backend, sequenceScenario(op, [passes], [index]).outputs));
  }
  deviation.add('sequences one after the other', together, concatenate(alone));
  return deviation.result();
}
