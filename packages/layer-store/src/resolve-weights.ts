// Joins the weights a model names with the tensors a checkpoint has: presence, shape and dtype are
// checked here, before anything is read.

import { byteLengthOf, type DType, type WeightRef } from '@airllm/backend';
import { LayerStoreError } from './errors.js';

/** Where a tensor lies, as `@airllm/checkpoint` describes it. */
export interface StoredTensor {
  readonly name: string;
  /** As safetensors names it: `BF16`, `F16`, `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly path: string;
  /** Absolute byte offset in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A weight with its place on disk. Vectors are one row. */
export interface ResolvedWeight {
  readonly name: string;
  readonly dtype: DType;
  readonly rows: number;
  readonly cols: number;
  readonly isVector: boolean;
  readonly path: string;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly rowBytes: number;
}

const DTYPE_OF: Readonly<Record<string, DType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };

/**
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`, each naming the tensor.
 */
export function resolveWeight(ref: WeightRef, tensors: ReadonlyMap<string, StoredTensor>): ResolvedWeight {
  const tensor = tensors.get(ref.name);
  if (!tensor) {
    throw new LayerStoreError(
      'MISSING_TENSOR',
      `Expected a tensor ${ref.name} with shape [${ref.shape.join(', ')}] but the checkpoint has none of that name`,
      { fields: { tensor: ref.name, expectedShape: ref.shape } },
    );
  }
  if (tensor.shape.length !== ref.shape.length || tensor.shape.some((size, i) => size !== ref.shape[i])) {
    throw new LayerStoreError(
      'WRONG_SHAPE',
      `Expected shape [${ref.shape.join(', ')}] for ${ref.name} but the checkpoint has [${tensor.shape.join(', ')}]`,
      { fields: { tensor: ref.name, expectedShape: ref.shape, foundShape: tensor.shape } },
    );
  }
  const dtype = DTYPE_OF[tensor.dtype];
  if (!dtype) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${Object.keys(DTYPE_OF).join(', ')} for ${ref.name} but the checkpoint stores ${tensor.dtype}`,
      { fields: { tensor: ref.name, dtype: tensor.dtype } },
    );
  }
  const cols = ref.shape.at(-1) ?? 1;
  const rows = ref.shape.length === 1 ? 1 : (ref.shape[0] ?? 1);
  return {
    name: ref.name,
    dtype,
    rows,
    cols,
    isVector: ref.shape.length === 1,
    path: tensor.path,
    byteOffset: tensor.byteOffset,
    byteLength: tensor.byteLength,
    rowBytes: byteLengthOf(dtype, cols),
  };
}
