// The limit that prefill is compared with: how fast this machine multiplies.

import type { Precision } from '@airllm/backend';
import { callNative } from '@airllm/native-submission';
import { availableParallelism } from 'node:os';
import { openBinding } from './create-cpu-backend.js';

export interface ComputePeakOptions {
  /** What `createCpuBackend` would compute with. Default `exact`. */
  precision?: Precision;
  /** Default `os.availableParallelism()`. */
  threads?: number;
  /** Seconds of rounds; the best one counts. Default 1. */
  seconds?: number;
}

/**
 * Multiplies operands that are at hand (in registers, or in the first-level cache for AMX) on all threads, off the
 * JavaScript thread.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE`, `INVALID_OPERAND`
 */
export async function measureComputePeak(
  options: ComputePeakOptions = {},
): Promise<{ multiplyAddsPerSecond: number }> {
  const { precision = 'exact', threads = availableParallelism(), seconds = 1 } = options;
  const binding = openBinding();
  const running = callNative(() =>
    binding.measureComputePeak('auto', precision === 'fast', threads, seconds),
  );
  return { multiplyAddsPerSecond: await running };
}
