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
 * Codes of bitsandbytes: `code4` (NF4, FP4) and `code8` (its dynamic map). A byte of `code4` holds elements 2i (high nibble)
 * and 2i + 1, a byte of `code8` one. Elements are counted row after row, so a row may begin within a byte, and a block
 * may end within a row: element i of the slice, i = r · cols + c, is codes[q] · absmax[(first + i) / blockLength | 0].
 */
export interface CodePacking {
  readonly kind: 'code4' | 'code8';
  /** float32 [16] or [256]. */
  readonly codes: WeightSpan;
  /** Elements that share a factor. */
  readonly blockLength: number;
  /** Elements of the first block that come before the slice, below `blockLength`. */
  readonly first: number;
  /** float32 [ceil((first + rows · cols) / blockLength)]; with `nested`, a byte each. */
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
 * k / groupRows | 0, or `rowGroups` tells. K is a multiple of 8 for `gptq4`, N always.
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
  /** `gptq4` whose rows lie apart from their group (act-order); absent where it is k / groupRows | 0. */
  readonly rowGroups?: RowGroups | undefined;
}

export interface RowGroups {
  /** int32 [K], each below `count`. */
  readonly indices: WeightSpan;
  /** Groups that scales and zeros are of. */
  readonly count: number;
}

/**
 * Symmetric integers with a scale for each group of a row's columns, the last of which may be shorter: q · scales[r, c / groupCols | 0].
 *
 * - `int8`: q is a signed byte.
 * - `int4`: a byte holds columns 2i (low nibble) and 2i + 1; q = nibble − 8.
 */
export interface IntPacking {
  readonly kind: 'int8' | 'int4';
  /** float32 [rows, ceil(cols / groupCols)]. */
  readonly scales: WeightSpan;
  readonly groupCols: number;
}

/**
 * `bf16z`: bfloat16 bit for bit, with most exponents in three bits. The weight's own byte is sign · 128 + mantissa. The exponent of
 * a column with code k < 7 is (base − k) mod 256 with the row's base; columns with code 7 take the row's escapes one after
 * the other, and 0 once there are none left.
 */
export interface LosslessPacking {
  readonly kind: 'bf16z';
  /**
   * Bytes [rows, 24 · ceil(cols / 64)]: for each 64 columns three bit planes of 8 bytes; bit j (from the lowest of the first
   * byte) of plane b is bit b of the code of column 64g + j, 0 past the last column.
   */
  readonly codes: WeightSpan;
  /** Bytes [rows, escapeBytes]: the base, then exponents. */
  readonly escapes: WeightSpan;
  /** At least 1. */
  readonly escapeBytes: number;
}

export type WeightPacking = MxPacking | CodePacking | GroupPacking | IntPacking | LosslessPacking;
