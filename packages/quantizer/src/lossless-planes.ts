// The planes of `lossless` and their sizes.

import { plane, type EncodedPlane } from './encoded-plane.js';
import { LOSSLESS_GROUP_BYTES, LOSSLESS_GROUP_COLS } from './format.js';
import type { Rows } from './kernels.js';

/** Bytes of the three-bit codes of a row: three planes of 64 bits for each 64 columns begun. */
export function losslessCodeBytes(cols: number): number {
  return LOSSLESS_GROUP_BYTES * Math.ceil(cols / LOSSLESS_GROUP_COLS);
}

/** False when rows are so short that no values could make them smaller than bf16. */
export function losslessCanShrink(shape: Rows): boolean {
  return shape.rows > 0 && shrinks(shape, 0);
}

/**
 * What a bf16 tensor becomes when no row has more than `capacity` escapes: three planes, or itself where they would
 * not be smaller.
 */
export function losslessPlanes(
  tensor: { name: string; shape: readonly number[] },
  shape: Rows,
  capacity: number,
): readonly EncodedPlane[] {
  const { name } = tensor;
  const { rows, cols } = shape;
  if (!shrinks(shape, capacity)) return [plane(name, 'BF16', tensor.shape)];
  return [
    plane(name, 'U8', [rows, cols]),
    plane(`${name}.lossless.codes`, 'U8', [rows, losslessCodeBytes(cols)]),
    plane(`${name}.lossless.escapes`, 'U8', [rows, 1 + capacity]),
  ];
}

function shrinks({ cols }: Rows, capacity: number): boolean {
  return cols + losslessCodeBytes(cols) + 1 + capacity < 2 * cols;
}
