// How many bytes a tensor takes: product of the shape times the width of the dtype, overflow refused.

import { DTYPE_BITS, type Dtype } from './dtype.js';
import { SafetensorsError } from './safetensors-error.js';

/**
 * Bytes of a tensor. An empty shape is a scalar (one element); a zero dimension makes zero bytes.
 *
 * @example
 * tensorByteLength('BF16', [4096, 4096]); // 33_554_432
 * tensorByteLength('F4', [3, 2]); // 3
 *
 * @throws SafetensorsError `INVALID_TENSOR` (a dimension is not a non-negative safe integer),
 *   `SIZE_OVERFLOW` (more than 2^53 - 1 bits), `PARTIAL_BYTE` (sub-byte elements that end inside a byte).
 */
export function tensorByteLength(dtype: Dtype, shape: readonly number[]): number {
  let bits: number = DTYPE_BITS[dtype];
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new SafetensorsError(
        'INVALID_TENSOR',
        `Expected dimensions that are non-negative safe integers but found ${dim}.`,
        { fields: { dtype, dim } },
      );
    }
    if (dim > 0 && bits > Number.MAX_SAFE_INTEGER / dim) {
      throw new SafetensorsError(
        'SIZE_OVERFLOW',
        `Expected a tensor of at most 2^53 - 1 bits but found ${dtype} with ${shape.length} dimensions whose product is larger.`,
        { fields: { dtype } },
      );
    }
    bits *= dim;
  }
  if (bits % 8 !== 0) {
    throw new SafetensorsError(
      'PARTIAL_BYTE',
      `Expected ${dtype} elements to fill whole bytes but found ${bits} bits. Pad the last dimension.`,
      { fields: { dtype, bits } },
    );
  }
  return bits / 8;
}
