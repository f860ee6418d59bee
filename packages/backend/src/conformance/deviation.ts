// How far a set of outputs is from what was expected.

import type { ConformanceResult } from './conformance-case.js';

/** Smallest normal float32: a difference below it is a subnormal flushed to zero, which is allowed. */
const SMALLEST_NORMAL = 2 ** -126;

/**
 * Collects outputs of a whole case and relates the largest difference to the root mean square of all that was
 * expected, so that a lone output that happens to cancel to nearly zero does not count as inaccurate.
 */
export class Deviation {
  #squares = 0;
  #count = 0;
  #largest = 0;
  #detail = '';

  add(label: string, actual: Float32Array, expected: Float32Array): void {
    if (actual.length !== expected.length) {
      return this.fail(`${label}: expected ${expected.length} values but received ${actual.length}`);
    }
    expected.forEach((value, i) => {
      const found = actual[i] ?? NaN;
      this.#squares += value * value;
      this.#count++;
      if (Object.is(found, value)) return;
      let difference = Math.abs(found - value);
      if (!Number.isFinite(difference)) difference = Infinity;
      if (difference < SMALLEST_NORMAL || difference <= this.#largest) return;
      this.#largest = difference;
      this.#detail = `${label}, element ${i}: expected ${value} but received ${found}`;
    });
  }

  fail(detail: string): void {
    if (this.#largest === Infinity) return;
    this.#largest = Infinity;
    this.#detail = detail;
  }

  result(): ConformanceResult {
    const rootMeanSquare = Math.sqrt(this.#squares / Math.max(1, this.#count));
    const maxError = this.#largest === 0 ? 0 : this.#largest / (rootMeanSquare || 1);
    return { maxError, detail: this.#detail };
  }
}
