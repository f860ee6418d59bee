// The boundary between policy and loops over bytes: what an implementation of the formats has to offer. There are two,
// native and plain TypeScript, and they give the same bytes. Arguments are trusted here; who calls has checked them.

import type { ErrorSums } from './error-figures.js';
import type { SourceDType } from './format.js';

/** Elements of a source tensor, little-endian, at any alignment. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly dtype: SourceDType;
}

/** Sums of the finite blocks, and the first element that is NaN or Inf (-1: none). */
export interface EncodeResult extends ErrorSums {
  readonly firstNonFinite: number;
}

/** Which map and block length: `4bit` is NF4 in blocks of 64, `8bit` the dynamic map in blocks of 2048. */
export type CodeFormat = '4bit' | '8bit';

export type IntegerFormat = 'int8' | 'int4';

/** rows × cols, row after row. */
export interface Rows {
  readonly rows: number;
  readonly cols: number;
}

/** The planes of `lossless` for some rows; names are those of the format. */
export interface LosslessPlanes {
  /** [rows, cols]: sign and mantissa. */
  readonly bytes: Uint8Array;
  /** [rows, 24 · ceil(cols / 64)] */
  readonly codes: Uint8Array;
  /** [rows, 1 + capacity] */
  readonly escapes: Uint8Array;
}

/** Encoded codes with float32 factors. */
export interface CodeBlocks {
  /** A byte per element, or per two with 16 entries in the map, high nibble first. */
  readonly codes: Uint8Array;
  /** Ascending or not: 16 or 256 values. */
  readonly map: Float32Array;
  /** A factor for each `blockLength` elements. */
  readonly absmax: Float32Array;
  readonly blockLength: number;
  /** Added after the product, both rounded to float32. Default: none. */
  readonly offset?: number;
}

/** The factors of `4bit`, quantized again. */
export interface NestedFactors {
  /** Codes into the dynamic map. */
  readonly codes: Uint8Array;
  /** Per 256 codes. */
  readonly absmax: Float32Array;
}

export interface Kernels {
  /** Which implementation, which instruction set, and why when it is not the fast one. */
  readonly description: string;

  /** Whether calls run on threads of their own; otherwise they hold the JavaScript thread up. */
  readonly isNative: boolean;

  /** Fills `codes` and `absmax` from the elements of `source`; a block with NaN or Inf gets NaN and codes of zero. */
  encodeCodes(
    format: CodeFormat,
    source: Source,
    to: { codes: Uint8Array; absmax: Float32Array },
  ): Promise<EncodeResult>;

  /** Quantizes factors as bitsandbytes does: minus their mean, which is returned with the sums of this step. */
  encodeFactors(absmax: Float32Array, to: NestedFactors): Promise<ErrorSums & { offset: number }>;

  decodeCodes(blocks: CodeBlocks, to: Float32Array): Promise<void>;

  /** Fills `codes` and `scales`, a scale for each 128 columns; a group with NaN or Inf gets NaN and codes of zero. */
  encodeIntegers(
    format: IntegerFormat,
    source: Source,
    shape: Rows,
    to: { codes: Uint8Array; scales: Float32Array },
  ): Promise<EncodeResult>;

  decodeIntegers(
    format: IntegerFormat,
    from: { codes: Uint8Array; scales: Float32Array },
    shape: Rows,
    to: Float32Array,
  ): Promise<void>;

  /** Chooses the base exponent of each row, the one with the fewest escapes, the largest of equals. */
  surveyLossless(
    source: Uint8Array,
    shape: Rows,
    bases: Uint8Array,
  ): Promise<{ capacity: number; firstNonFinite: number }>;

  /** Fills the planes of bf16 rows; resolves to false when a row has more escapes than there is room for. */
  encodeLossless(source: Uint8Array, shape: Rows, bases: Uint8Array, to: LosslessPlanes): Promise<boolean>;

  /** Fills `to` with bf16; resolves to false when a row has more escapes than there is room for. */
  decodeLossless(from: LosslessPlanes, shape: Rows, to: Uint8Array): Promise<boolean>;
}
