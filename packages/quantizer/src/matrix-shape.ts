// A tensor's shape as rows and columns: the last dimension is the columns, a vector is one row.

import { QuantizerError } from './errors.js';

export interface MatrixShape {
  readonly elements: number;
  readonly rows: number;
  readonly cols: number;
}

/** @throws QuantizerError `UNSUPPORTED_SHAPE` for dimensions that are no sizes or whose product is not exact. */
export function matrixShapeOf(tensor: string, shape: readonly number[]): MatrixShape {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(elements)) {
    throw new QuantizerError(
      'UNSUPPORTED_SHAPE',
      `Expected the shape of ${tensor} to be non-negative integers with a product below 2^53 but received [${shape.join(', ')}]`,
      { fields: { tensor, shape } },
    );
  }
  const cols = shape.at(-1) ?? 1;
  return { elements, cols, rows: cols === 0 ? 0 : elements / cols };
}
