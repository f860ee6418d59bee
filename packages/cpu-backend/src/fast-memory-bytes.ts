// What `fast` precision holds besides the arenas and weights it is given, for whoever plans memory.

import { availableParallelism } from 'node:os';

/** Packed rows of a pass: kPackedValues of native/gemm/fast_linear.h, 2 bytes each. */
const PACKED_BYTES = 16 * 2 ** 20;
/** FastScratch there: tiles of 256 × 2048 weights, sums of 256 weights and 512 rows, a decoded row of 2048. */
const THREAD_BYTES = 256 * 2048 * 2 + 256 * 512 * 4 + 2048 * 4;

/** Bytes that a backend in `fast` precision commits at most, beyond what one in `exact` does. */
export function fastMemoryBytes(threads: number = availableParallelism()): number {
  return PACKED_BYTES + threads * THREAD_BYTES;
}
