// latentAttention: every dtype, odd sizes, one and many heads, ragged batches over shuffled blocks.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { ATTENTION } from '../tolerances.js';
import { latentAttentionOp, type LatentShape } from './sequence-ops.js';
import { RAGGED, sequenceScenario } from './sequence-scenario.js';

const SMALL: LatentShape = { heads: 2, rank: 24, nopeDim: 8, ropeDim: 4, valueDim: 12 };

const SHAPES: readonly LatentShape[] = [
  SMALL,
  { heads: 1, rank: 16, nopeDim: 16, ropeDim: 8, valueDim: 16 },
  { heads: 3, rank: 33, nopeDim: 7, ropeDim: 2, valueDim: 5 },
  { heads: 5, rank: 7, nopeDim: 1, ropeDim: 6, valueDim: 17 },
  { heads: 4, rank: 64, nopeDim: 32, ropeDim: 16, valueDim: 32 },
];

export function latentAttentionCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype) => latentCase(`${dtype} kvB`, SMALL, dtype)),
    ...SHAPES.slice(1).map((shape) => {
      const { heads, rank, nopeDim, ropeDim, valueDim } = shape;
      return latentCase(`${heads} heads of ${nopeDim} + ${ropeDim}, ${valueDim} over rank ${rank}`, shape);
    }),
    latentCase(
      '1 head of 128 + 64, 128 over rank 512',
      { heads: 1, rank: 512, nopeDim: 128, ropeDim: 64, valueDim: 128 },
      'bf16',
      [[17, 1], [2]],
    ),
    latentCase('long prefill and decode', SMALL, 'f32', [
      [130, 1, 1],
      [200, 1],
      [1, 1, 1],
    ]),
  ];
}

function latentCase(
  name: string,
  shape: LatentShape,
  dtype: ElementDType = 'bf16',
  sequences = RAGGED,
): ConformanceCase {
  return {
    name: `latentAttention ${name}`,
    op: 'latentAttention',
    dtype,
    group: 'accuracy',
    tolerance: ATTENTION,
    run: (backend) =>
      compareWithReference(backend, [sequenceScenario(latentAttentionOp(shape, dtype), sequences)]),
  };
}
