// A prompt gives the same outputs in one pass, in chunks and token by token.

import { createReferenceBackend } from '../../reference/index.js';
import { onBench } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { ATTENTION, RECURRENT, TRANSCENDENTAL } from '../tolerances.js';
import { attentionOp, gatedDeltaOp, latentAttentionOp, shortConvOp } from './sequence-ops.js';
import { sequenceScenario, type Passes, type SequenceOp } from './sequence-scenario.js';

const TOKENS = 53;

const CHUNKINGS: Readonly<Record<string, Passes>> = {
  'in one pass': [TOKENS],
  'in chunks of 16': [16, 16, 16, 5],
  'in chunks of 7': [7, 7, 7, 7, 7, 7, 7, 4],
  'in uneven chunks': [1, 2, 30, 1, 1, 18],
  'token by token': new Array<number>(TOKENS).fill(1),
};

const HEADS = { heads: 4, kvHeads: 2, headDim: 20 };

const OPS: readonly { label: string; op: SequenceOp; tolerance: number }[] = [
  { label: '', op: attentionOp(HEADS), tolerance: ATTENTION },
  { label: ' with a window of 20', op: attentionOp({ ...HEADS, window: 20 }), tolerance: ATTENTION },
  { label: ' within 12 positions', op: attentionOp({ ...HEADS, chunk: 12 }), tolerance: ATTENTION },
  {
    label: '',
    op: latentAttentionOp({ heads: 2, rank: 20, nopeDim: 8, ropeDim: 4, valueDim: 12 }, 'bf16'),
    tolerance: ATTENTION,
  },
  { label: '', op: shortConvOp({ channels: 37, kernel: 4, bias: true }, 'bf16'), tolerance: TRANSCENDENTAL },
  {
    label: '',
    op: gatedDeltaOp({ keyHeads: 2, valueHeads: 4, keyDim: 12, valueDim: 20 }, 'f32'),
    tolerance: RECURRENT,
  },
];

export function chunkingCases(): ConformanceCase[] {
  return OPS.flatMap(({ label, op, tolerance }) =>
    Object.entries(CHUNKINGS).map(([name, passes]): ConformanceCase => ({
      name: `${op.op} ${name}${label}`,
      op: op.op,
      group: 'accuracy',
      tolerance,
      run: async (backend) => {
        await using reference = createReferenceBackend();
        const deviation = new Deviation();
        const actual = await onBench(backend, sequenceScenario(op, [passes]).outputs);
        const expected = await onBench(reference, sequenceScenario(op, [[TOKENS]]).outputs);
        deviation.add(name, actual, expected);
        return deviation.result();
      },
    })),
  );
}
