// What stands beside the bytes of a weight in a packed format, and how both make its values. Every value is rounded to
// float32 once, where it is not one already; factors are used as they are stored.

import type { WeightMemory } from './weight.js';

/** Bytes in memory that ops can read; no alignment is promised. How many follows from the weight's shape. */
export interface WeightSpan {
  readonly memory: WeightMemory;
  readonly byteOffset: number;
}

/**
 * `mxfp4` (OCP Microscaling Formats 1.0): a byte holds columns 2i (low nibble) and 2i + 1, each a sign, two bits of exponent and
 * one of fraction: 0, 0.5, 1, 1.5, 2, 3, 4, 6; times 2^(s − 127), s = 255 being no number.
 */
export interface MxPacking {
  readonly kind: 'mxfp4';
  /** A byte s for each 32 columns: [rows, cols / 32]. */
  readonly scales: WeightSpan;
}

/**
 * `code4` (NF4 and FP4 of bitsandbytes): a byte holds columns 2i (high nibble) and 2i + 1; the value is codes[nibble] ·
 * absmax[r, c / blockCols].
 */
export interface CodePacking {
  readonly kind: 'code4';
  /** float32 [16]. */
  readonly codes: WeightSpan;
  /** Columns that share a factor; divides cols. */
  readonly blockCols: number;
  /** float32 [rows, cols / blockCols]; with `nested`, a byte each. */
  readonly absmax: WeightSpan;
  /** Of quantized factors. */
  readonly nested: NestedFactors | undefined;
}

/**
 * Factor i of the slice, a byte q, is codes[q] · absmax[(first + i) / blockLength | 0] + offset, both operations rounded to
 * float32.
 */
export interface NestedFactors {
  /** float32 [256]. */
  readonly codes: WeightSpan;
  /** float32. */
  readonly absmax: WeightSpan;
  readonly blockLength: number;
  readonly offset: number;
  /** Number of the slice's first factor among those of the whole weight. */
  readonly first: number;
}

/**
 * `gptq4` and `awq4`, input-major [K, N]: (q − z) · scale with z and scale those of group
 * k / groupRows | 0. K is a multiple of 8 for `gptq4`, N always.
 *
 * - `gptq4` (Frantar et al. 2022, as AutoGPTQ stores it): int32 words [K / 8, N], nibble i (from the lowest) is row 8j + i;
 *   zeros are int32 [groups, N / 8], nibble i is column 8j + i, and z = (nibble + 1) mod 16.
 * - `awq4` (Lin et al. 2023, version GEMM): int32 words [K, N / 8], nibble i is column 8j + (0, 2, 4, 6, 1, 3, 5, 7)[i];
 *   zeros likewise, z = nibble.
 */
export interface GroupPacking {
  readonly kind: 'gptq4' | 'awq4';
  /** [groups, N]. */
  readonly scales: WeightSpan;
  readonly scaleDType: 'f32' | 'f16' | 'bf16';
  readonly zeros: WeightSpan;
  readonly groupRows: number;
}

export type WeightPacking = MxPacking | CodePacking | GroupPacking;
