// Refuses sizes that are none before they reach native code.

import { BackendError, type KvCacheShape } from '@airllm/backend';

/** @throws BackendError `INVALID_OPERAND` unless `size` is a non-negative integer */
export function expectSize(what: string, size: number): void {
  if (!(Number.isSafeInteger(size) && size >= 0)) {
    throw new BackendError(
      'INVALID_OPERAND',
      `Expected a non-negative integer for ${what} but received ${size}`,
    );
  }
}

/** @throws BackendError `INVALID_OPERAND` for a size of a cache that is none */
export function expectCacheShape({ blocks, slots, layers }: KvCacheShape): void {
  expectSize('KV blocks', blocks);
  expectSize('recurrent slots', slots);
  for (const { kind, ...sizes } of layers) {
    for (const [name, size] of Object.entries(sizes)) {
      if (typeof size !== 'number' || (Number.isSafeInteger(size) && size > 0)) continue;
      throw new BackendError(
        'INVALID_OPERAND',
        `Expected a positive integer for ${name} of an ${kind} layer but received ${size}`,
      );
    }
  }
}
