// Sizes, strides, offsets and numbers of elements, as a pickle gives them.

import type { PickleValue } from './pickle-value.js';
import { TorchPickleError } from './torch-pickle-error.js';

/** A whole number from 0 up to what arithmetic keeps exact. @throws TorchPickleError `INVALID_TENSOR`. */
export function toCount(value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const found = typeof value === 'number' || typeof value === 'bigint' ? String(value) : `a ${typeof value}`;
  throw new TorchPickleError(
    'INVALID_TENSOR',
    `Expected the ${what} of a tensor to be whole numbers from 0 to 2^53 - 1 but found ${found}.`,
    { fields: { what, found } },
  );
}
