// Small helpers of the behaviour cases: right or wrong instead of a distance.

import { AirllmError } from '@airllm/errors';
import type { Backend } from '../../backend.js';
import type { BackendErrorCode } from '../../errors.js';
import { Tensor } from '../../tensor.js';
import type { ConformanceCase, ConformanceResult } from '../conformance-case.js';

/** A case that holds when `check` resolves to nothing; else to what went wrong. */
export function behaviourCase(
  name: string,
  check: (backend: Backend) => Promise<string | undefined>,
): ConformanceCase {
  return {
    name,
    op: 'backend',
    group: 'behaviour',
    tolerance: 0,
    run: async (backend): Promise<ConformanceResult> => {
      const wrong = await check(backend);
      return wrong === undefined ? { maxError: 0, detail: '' } : { maxError: Infinity, detail: wrong };
    },
  };
}

/** Waits for a rejection with `code`; resolves to a complaint when it does not come. */
export async function complainUnlessRejected(
  what: string,
  promise: Promise<unknown>,
  code: BackendErrorCode,
): Promise<string | undefined> {
  try {
    await promise;
  } catch (error) {
    if (AirllmError.isInstance(error) && error.code === code) return undefined;
    return `expected ${what} to be rejected with ${code} but received ${String(error)}`;
  }
  return `expected ${what} to be rejected with ${code} but it was accepted`;
}

/** A contiguous tensor at `offset`. */
export function tensorAt(offset: number, rows: number, cols: number): Tensor {
  return new Tensor({ elements: rows * cols, offset }, rows, cols, cols, 0);
}

/** Complains unless both have the same numbers. */
export function complainUnlessEqual(actual: Float32Array, expected: readonly number[]): string | undefined {
  const same = actual.length === expected.length && expected.every((value, i) => value === actual[i]);
  return same ? undefined : `expected ${expected.join(' ')} but received ${actual.join(' ')}`;
}
