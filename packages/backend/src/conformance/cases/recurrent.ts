// shortConv and gatedDelta: every dtype, odd sizes, ragged batches, slots that others have used before.

import { DTYPES } from '../../dtype.js';
import { compareWithReference } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { RECURRENT, TRANSCENDENTAL } from '../tolerances.js';
import { gatedDeltaOp, shortConvOp, type ConvShape, type DeltaShape } from './sequence-ops.js';
import { RAGGED, sequenceScenario, type SequenceOp } from './sequence-scenario.js';

const CONVOLUTIONS: readonly ConvShape[] = [
  { channels: 1, kernel: 4 },
  { channels: 17, kernel: 4 },
  { channels: 64, kernel: 4, bias: true },
  { channels: 33, kernel: 2 },
  { channels: 40, kernel: 3, bias: true },
  { channels: 16, kernel: 1 },
  // Longer than most passes: the inputs kept come from several of them.
  { channels: 19, kernel: 7 },
];

const DELTAS: readonly DeltaShape[] = [
  { keyHeads: 1, valueHeads: 1, keyDim: 1, valueDim: 1 },
  { keyHeads: 2, valueHeads: 2, keyDim: 16, valueDim: 16 },
  { keyHeads: 2, valueHeads: 4, keyDim: 16, valueDim: 32 },
  { keyHeads: 1, valueHeads: 3, keyDim: 33, valueDim: 7 },
  { keyHeads: 3, valueHeads: 6, keyDim: 7, valueDim: 20 },
  { keyHeads: 1, valueHeads: 2, keyDim: 128, valueDim: 128 },
];

const LONG = [
  [130, 1, 1],
  [200, 1],
  [1, 1, 1],
];

export function recurrentCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype) =>
      recurrentCase(dtype, shortConvOp({ channels: 24, kernel: 4, bias: true }, dtype)),
    ),
    ...CONVOLUTIONS.map((shape) =>
      recurrentCase(
        `of ${shape.kernel} rows, ${shape.channels} channels${shape.bias ? ', bias' : ''}`,
        shortConvOp(shape, 'bf16'),
      ),
    ),
    ...DTYPES.map((dtype) =>
      recurrentCase(dtype, gatedDeltaOp({ keyHeads: 2, valueHeads: 4, keyDim: 8, valueDim: 8 }, dtype)),
    ),
    ...DELTAS.map((shape) =>
      recurrentCase(
        `${shape.valueHeads} heads of ${shape.valueDim} over ${shape.keyHeads} of ${shape.keyDim}`,
        gatedDeltaOp(shape, 'f32'),
      ),
    ),
    recurrentCase(
      'long prefill and decode',
      gatedDeltaOp({ keyHeads: 1, valueHeads: 2, keyDim: 16, valueDim: 8 }, 'f32'),
      LONG,
    ),
  ];
}

function recurrentCase(name: string, op: SequenceOp, sequences = RAGGED): ConformanceCase {
  return {
    name: `${op.op} ${name}`,
    op: op.op,
    group: 'accuracy',
    tolerance: op.op === 'shortConv' ? TRANSCENDENTAL : RECURRENT,
    run: (backend) => compareWithReference(backend, [sequenceScenario(op, sequences)]),
  };
}
