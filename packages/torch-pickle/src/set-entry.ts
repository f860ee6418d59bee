// `dict[key] = value` for the keys that state dicts have.

import { PickleDict, type PickleKey, type PickleValue } from './pickle-value.js';
import { TorchPickleError } from './torch-pickle-error.js';

/** @throws TorchPickleError `INVALID_PICKLE` when `dict` is none, or for a key that is not plain. */
export function setEntry(dict: PickleValue, key: PickleValue, value: PickleValue): void {
  if (!(dict instanceof PickleDict) || !isKey(key)) {
    throw new TorchPickleError(
      'INVALID_PICKLE',
      'Expected a dict with strings, numbers, booleans or None as keys.',
    );
  }
  dict.entries.set(key, value);
}

function isKey(value: PickleValue): value is PickleKey {
  return value === null || typeof value !== 'object';
}
