// The tensors that a packed format puts beside a weight, looked up by name with what they must be.

import { LayerStoreError } from '../errors.js';
import type { StoredTensor, TensorTable } from '../resolve-weights.js';

export interface ExpectedTensor {
  /** As safetensors names them. */
  readonly dtypes: readonly string[];
  readonly shape: readonly number[];
}

/** @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE` */
export function companionTensor(
  tensors: TensorTable,
  name: string,
  { dtypes, shape }: ExpectedTensor,
): StoredTensor {
  const tensor = tensors.get(name);
  const wanted = `${dtypes.join(' or ')} [${shape.join(', ')}]`;
  if (!tensor) {
    throw new LayerStoreError(
      'MISSING_TENSOR',
      `Expected a tensor ${name} with ${wanted} but the checkpoint has none of that name`,
      { fields: { tensor: name, expectedShape: shape } },
    );
  }
  if (!dtypes.includes(tensor.dtype)) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${wanted} for ${name} but the checkpoint stores ${tensor.dtype}`,
      { fields: { tensor: name, dtype: tensor.dtype } },
    );
  }
  const isShaped = tensor.shape.length === shape.length && tensor.shape.every((size, i) => size === shape[i]);
  if (!isShaped) throw wrongShape(tensor, wanted);
  return tensor;
}

export function wrongShape(tensor: StoredTensor, wanted: string): LayerStoreError {
  return new LayerStoreError(
    'WRONG_SHAPE',
    `Expected ${wanted} for ${tensor.name} but the checkpoint has ${tensor.dtype} [${tensor.shape.join(', ')}]`,
    { fields: { tensor: tensor.name, expected: wanted, foundShape: tensor.shape } },
  );
}

/** Rows of a matrix that are refused because they cannot be taken apart. */
export function expectWholeRows(name: string, start: number, cols: number): number {
  if (start % cols === 0) return start / cols;
  throw new RangeError(
    `Expected ${name} to begin with a row of its tensor but it begins at element ${start}`,
  );
}
