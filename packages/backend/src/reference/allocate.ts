// Allocation with typed errors, for sizes that come from outside.

import { BackendError } from '../errors.js';

/**
 * Calls `create(length)`.
 *
 * @throws BackendError `INVALID_OPERAND` when `length` is no size, `OUT_OF_MEMORY` when it cannot be had.
 */
export function allocate<T>(what: string, length: number, create: (length: number) => T): T {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new BackendError('INVALID_OPERAND', `Expected a whole number of ${what} but received ${length}`);
  }
  try {
    return create(length);
  } catch (cause) {
    throw new BackendError(
      'OUT_OF_MEMORY',
      `Could not allocate ${length} ${what}; use a smaller memory budget or a shorter context`,
      { fields: { length }, cause },
    );
  }
}
