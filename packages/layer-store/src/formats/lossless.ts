// bfloat16 bit for bit in fewer bytes, as layer shards have it: `<name>` U8 [.., cols] of signs and mantissas,
// `<name>.lossless.codes` U8 [.., 24 · ceil(cols / 64)] of exponents in three bits, `<name>.lossless.escapes`
// U8 [.., 1 + capacity] of a base for each row and the exponents that three bits do not reach.

import type { WeightRef } from '@airllm/backend';
import type { ResolvedWeight, TensorTable } from '../resolved-weight.js';
import { companionMatrix } from './companion-tensor.js';
import { rowWeight } from './row-factors.js';
import { asMatrix, storedRun } from './stored-run.js';

const CODE_COLS = 64;
/** Three planes of 64 bits. */
const CODE_BYTES = 24;

/** Undefined where the checkpoint has no codes of that name. */
export function resolveLossless(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const run = storedRun(ref);
  if (!tensors.has(`${run.tensor}.lossless.codes`)) return undefined;
  const { rows, cols } = asMatrix(run.shape);
  const codeBytes = CODE_BYTES * Math.ceil(cols / CODE_COLS);
  const matrix = (suffix: string, width: number) =>
    companionMatrix(tensors, `${run.tensor}${suffix}`, { dtypes: ['U8'], rows, cols: width });
  // At least the base; how many escapes follow is the tensor's own.
  const escapeBytes = Math.max(1, tensors.get(`${run.tensor}.lossless.escapes`)?.shape.at(-1) ?? 1);
  return rowWeight(ref, run, {
    dtype: 'bf16z',
    format: 'lossless',
    data: matrix('', cols),
    companions: [
      { tensor: matrix('.lossless.codes', codeBytes), rowBytes: codeBytes },
      { tensor: matrix('.lossless.escapes', escapeBytes), rowBytes: escapeBytes },
    ],
    bind: ([codes, escapes]) => codes && escapes && { kind: 'bf16z', codes, escapes, escapeBytes },
  });
}
