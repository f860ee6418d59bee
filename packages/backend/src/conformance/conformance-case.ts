// One thing a backend must do, as data plus a function; no test framework is assumed.

import type { Backend } from '../backend.js';
import type { DType } from '../dtype.js';

/**
 * - `accuracy`: outputs equal those of the reference backend within the tolerance.
 * - `batch-invariance`: a row's output has the same bits whatever rows it shares a submission with.
 * - `behaviour`: order, errors, lifetimes.
 */
export type ConformanceGroup = 'accuracy' | 'batch-invariance' | 'behaviour';

export interface ConformanceResult {
  /**
   * Largest |actual − expected| over the root mean square of everything expected in the case; Infinity for a
   * NaN or a write outside the outputs; 0 or Infinity for cases that are right or wrong.
   */
  readonly maxError: number;
  /** Where the largest error is, or what went wrong; empty when nothing differs. */
  readonly detail: string;
}

export interface ConformanceCase {
  /** Unique, readable: `linear bf16 K=17`. */
  readonly name: string;
  /** The op under test, or `backend` for behaviour that is no op's. */
  readonly op: string;
  readonly dtype?: DType;
  readonly group: ConformanceGroup;
  /** Largest `maxError` that conforms. */
  readonly tolerance: number;
  /** True when the case disposes the backend: give it one of its own. */
  readonly disposesBackend?: boolean;
  run(backend: Backend): Promise<ConformanceResult>;
}
