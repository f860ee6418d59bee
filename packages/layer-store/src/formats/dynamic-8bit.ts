// 8-bit weights of layer shards, in the dynamic map of bitsandbytes: `<name>` bytes of one code in the weight's own shape,
// `<name>.8bit.absmax` per block of 2048, `<name>.8bit.code` with the 256 values.

import type { WeightRef } from '@airllm/backend';
import type { ResolvedWeight, TensorTable } from '../resolved-weight.js';
import { codeWeight } from './code-blocks.js';
import { companionMatrix, companionTensor } from './companion-tensor.js';
import { asMatrix, elementsOf, storedRun } from './stored-run.js';

const BLOCK = 2048;

/** Undefined where the checkpoint has no factors of that name. */
export function resolveDynamic8Bit(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const run = storedRun(ref);
  if (!tensors.has(`${run.tensor}.8bit.absmax`)) return undefined;
  const floats = (suffix: string, length: number) =>
    companionTensor(tensors, `${run.tensor}.8bit.${suffix}`, { dtypes: ['F32'], shape: [length] });
  return codeWeight(ref, run, {
    dtype: 'code8',
    data: companionMatrix(tensors, run.tensor, { dtypes: ['U8'], ...asMatrix(run.shape) }),
    codes: floats('code', 256),
    absmax: floats('absmax', Math.ceil(elementsOf(run.shape) / BLOCK)),
    blockLength: BLOCK,
  });
}
