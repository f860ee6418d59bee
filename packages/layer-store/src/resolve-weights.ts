// Joins the weights a model names with the tensors a checkpoint has: presence, shape and dtype are
// checked here, before anything is read.

import { blockElementsOf, byteLengthOf, isPacked, type DType, type WeightRef } from '@airllm/backend';
import { LayerStoreError } from './errors.js';
import { resolveBitsandbytes4Bit } from './formats/bitsandbytes-4bit.js';
import { resolveDynamic8Bit } from './formats/dynamic-8bit.js';
import { resolveFp8Scales } from './formats/fp8-scales.js';
import { resolveGrouped } from './formats/grouped.js';
import { resolveIntegers } from './formats/integers.js';
import { resolveLossless } from './formats/lossless.js';
import { resolveMx } from './formats/mxfp4.js';
import { storedRun } from './formats/stored-run.js';
import type { FormatOptions, ResolvedWeight, StoredTensor, TensorTable } from './resolved-weight.js';

/** Formats of several tensors, told by their names: each gives undefined for a weight that is not stored in it. */
const FORMATS = [
  resolveMx,
  resolveBitsandbytes4Bit,
  resolveDynamic8Bit,
  resolveIntegers,
  resolveLossless,
  resolveGrouped,
] as const;

const DTYPE_OF: Readonly<Record<string, DType>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  F8_E4M3: 'f8e4m3',
  Q8_0: 'q8_0',
  Q4_0: 'q4_0',
  Q4_K: 'q4_k',
  Q6_K: 'q6_k',
};

/**
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`, each naming the tensor.
 */
export function resolveWeight(
  ref: WeightRef,
  tensors: TensorTable,
  options: FormatOptions = { shuffledGroups: false },
): ResolvedWeight {
  for (const resolve of FORMATS) {
    const weight = resolve(ref, tensors, options);
    if (weight) return weight;
  }
  return resolvePlain(ref, tensors);
}

/** A weight whose values need nothing beside them but FP8's scales. */
export function resolvePlain(ref: WeightRef, tensors: TensorTable): ResolvedWeight {
  const { tensor: name, shape, start, rows, cols, isVector } = storedRun(ref);
  const tensor = findTensor(name, shape, tensors);
  const dtype = DTYPE_OF[tensor.dtype];
  if (!dtype) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${Object.keys(DTYPE_OF).join(', ')} for ${name} but the checkpoint stores ${tensor.dtype}`,
      { fields: { tensor: name, dtype: tensor.dtype } },
    );
  }
  const blockElements = blockElementsOf(dtype);
  if (cols % blockElements !== 0 || start % blockElements !== 0) {
    throw new LayerStoreError(
      'WRONG_SHAPE',
      `Expected rows of whole blocks of ${blockElements} elements for ${name} in ${tensor.dtype} but received [${ref.shape.join(', ')}] from element ${start} on`,
      { fields: { tensor: name, dtype: tensor.dtype, expectedShape: ref.shape } },
    );
  }
  const whole = ref.whole ?? false;
  return {
    name: ref.name,
    dtype,
    rows,
    cols,
    isVector,
    whole,
    decoded: isPacked(dtype) && (isVector || whole),
    path: tensor.path,
    byteOffset: tensor.byteOffset + byteLengthOf(dtype, start),
    byteLength: byteLengthOf(dtype, rows * cols),
    rowBytes: byteLengthOf(dtype, cols),
    scales: dtype === 'f8e4m3' ? resolveFp8Scales(ref, { rows, cols }, tensors) : undefined,
  };
}

function findTensor(name: string, shape: readonly number[], tensors: TensorTable): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new LayerStoreError(
      'MISSING_TENSOR',
      `Expected a tensor ${name} with shape [${shape.join(', ')}] but the checkpoint has none of that name`,
      { fields: { tensor: name, expectedShape: shape } },
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
    throw new LayerStoreError(
      'WRONG_SHAPE',
      `Expected shape [${shape.join(', ')}] for ${name} but the checkpoint has [${tensor.shape.join(', ')}]`,
      { fields: { tensor: name, expectedShape: shape, foundShape: tensor.shape } },
    );
  }
  return tensor;
}
