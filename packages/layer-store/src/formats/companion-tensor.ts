// The tensors that a packed format puts beside a weight, looked up by name with what they must be.

import { LayerStoreError } from '../errors.js';
import type { StoredTensor, TensorTable } from '../resolved-weight.js';
import { asMatrix } from './stored-run.js';

export interface ExpectedTensor {
  /** As safetensors names them. */
  readonly dtypes: readonly string[];
  readonly shape: readonly number[];
}

/** @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE` */
export function companionTensor(tensors: TensorTable, name: string, expected: ExpectedTensor): StoredTensor {
  const { shape } = expected;
  return findTensor(tensors, name, {
    ...expected,
    isShaped: (found) => found.length === shape.length && found.every((size, i) => size === shape[i]),
  });
}

/** One whose leading dimensions, of which there may be any number, multiply to `rows`. */
export function companionMatrix(
  tensors: TensorTable,
  name: string,
  { dtypes, rows, cols }: { dtypes: readonly string[]; rows: number; cols: number },
): StoredTensor {
  return findTensor(tensors, name, {
    dtypes,
    shape: [rows, cols],
    isShaped: (found) => {
      const matrix = asMatrix(found);
      return matrix.rows === rows && matrix.cols === cols;
    },
  });
}

function findTensor(
  tensors: TensorTable,
  name: string,
  { dtypes, shape, isShaped }: ExpectedTensor & { isShaped: (found: readonly number[]) => boolean },
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
  if (!isShaped(tensor.shape)) throw wrongShape(tensor, wanted);
  return tensor;
}

export function wrongShape(tensor: StoredTensor, wanted: string): LayerStoreError {
  return new LayerStoreError(
    'WRONG_SHAPE',
    `Expected ${wanted} for ${tensor.name} but the checkpoint has ${tensor.dtype} [${tensor.shape.join(', ')}]`,
    { fields: { tensor: tensor.name, expected: wanted, foundShape: tensor.shape } },
  );
}
