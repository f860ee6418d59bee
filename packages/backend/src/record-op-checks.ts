// The shape checks of the ops with many operands.

import type { NormCommand } from './command.js';
import {
  expectMatrix,
  expectPositive,
  expectShape,
  expectVector,
  expectWhole,
  invalid,
  vectorLength,
} from './record-checks.js';
import type {
  AttentionOptions,
  GatedDeltaInputs,
  GatedDeltaOptions,
  LatentAttentionOptions,
  RopeOptions,
} from './record-options.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

/** A norm with its defaults applied. */
export type NormOperands = NormCommand<WeightRef>;

export function expectNorm(op: string, { x, weight, groupWidth, out }: NormOperands): void {
  if (x.cols % groupWidth !== 0) {
    throw invalid(`Expected columns divisible by ${groupWidth} for ${op} but received ${x.cols}`);
  }
  if (weight) expectVector(weight, vectorLength(weight) === groupWidth ? groupWidth : x.cols);
  expectShape(`${op} output`, out, x.rows, x.cols);
}

export function expectRope(x: Tensor, options: RopeOptions & { rotaryStart: number }): void {
  const { cos, sin, headDim, rotaryDim, rotaryStart } = options;
  if (x.cols % headDim !== 0 || rotaryDim % 2 !== 0 || rotaryStart < 0 || rotaryStart + rotaryDim > headDim) {
    throw invalid(
      `Expected whole heads and an even rotaryDim within headDim for rope but received ${x.cols} columns, headDim ${headDim}, rotaryDim ${rotaryDim} from ${rotaryStart}`,
    );
  }
  expectShape('rope cosines', cos, x.rows, rotaryDim / 2);
  expectShape('rope sines', sin, x.rows, rotaryDim / 2);
}

export function expectAttention(
  { q, k, v }: { q: Tensor; k: Tensor; v: Tensor },
  options: AttentionOptions,
): void {
  const { heads, kvHeads, headDim, window, chunk, softcap, sinks, alibiSlopes } = options;
  if (heads % kvHeads !== 0) {
    throw invalid(
      `Expected heads to be a multiple of kvHeads for attention but received ${heads} and ${kvHeads}`,
    );
  }
  expectPositive('a window', window);
  expectPositive('a chunk', chunk);
  if (softcap !== undefined && !(softcap > 0)) {
    throw invalid(`Expected a softcap above 0 but received ${softcap}`);
  }
  if (sinks) expectVector(sinks, heads);
  if (alibiSlopes && alibiSlopes.length !== heads) {
    throw invalid(`Expected ${heads} ALiBi slopes but received ${alibiSlopes.length}`);
  }
  expectShape('attention queries', q, q.rows, heads * headDim);
  expectShape('attention keys', k, q.rows, kvHeads * headDim);
  expectShape('attention values', v, q.rows, kvHeads * headDim);
}

export function expectLatentAttention(q: Tensor, latent: Tensor, options: LatentAttentionOptions): void {
  const { kvB, heads, rank, nopeDim, ropeDim, valueDim } = options;
  expectShape('latent attention queries', q, q.rows, heads * (nopeDim + ropeDim));
  expectShape('latents', latent, q.rows, rank + ropeDim);
  expectMatrix(kvB, heads * (nopeDim + valueDim), rank);
  expectWhole('latentAttention', kvB);
}

export function expectGatedDelta(inputs: GatedDeltaInputs, options: GatedDeltaOptions): void {
  const { q, k, v, a, b } = inputs;
  const { keyHeads, valueHeads, keyDim, valueDim, aLog, dtBias } = options;
  if (valueHeads % keyHeads !== 0) {
    throw invalid(
      `Expected valueHeads to be a multiple of keyHeads but received ${valueHeads} and ${keyHeads}`,
    );
  }
  expectShape('delta queries', q, v.rows, keyHeads * keyDim);
  expectShape('delta keys', k, v.rows, keyHeads * keyDim);
  expectShape('delta values', v, v.rows, valueHeads * valueDim);
  expectShape('delta decay inputs', a, v.rows, valueHeads);
  expectShape('delta rate inputs', b, v.rows, valueHeads);
  expectVector(aLog, valueHeads);
  expectVector(dtBias, valueHeads);
}

export function expectUngroup(x: Tensor, part: { groupWidth: number; start: number; count: number }): void {
  const { groupWidth, start, count } = part;
  if (x.cols % groupWidth !== 0 || start < 0 || count < 1 || start + count > groupWidth) {
    throw invalid(
      `Expected whole groups of ${groupWidth} columns and a part within one but received ${x.cols} columns and [${start}, ${start + count})`,
    );
  }
}
