// The formats, the dtypes they are made from, and the block lengths that their bytes depend on.

/**
 * - `4bit`: NF4 in blocks of 64 (Dettmers et al. 2023, QLoRA), the bytes of bitsandbytes.
 * - `8bit`: the dynamic 256-entry map in blocks of 2048 (Dettmers et al. 2021), the bytes of bitsandbytes.
 * - `int8`, `int4`: symmetric integers, a factor for each 128 columns of a row.
 * - `lossless`: bf16 bit for bit, the exponent in three bits and escapes.
 */
export type Format = '4bit' | '8bit' | 'int8' | 'int4' | 'lossless';

/** Dtypes that can be encoded, by their safetensors names; `lossless` takes BF16 alone. */
export type SourceDType = 'F32' | 'F16' | 'BF16';

export const FORMATS: readonly Format[] = ['4bit', '8bit', 'int8', 'int4', 'lossless'];

export const SOURCE_DTYPES: readonly SourceDType[] = ['F32', 'F16', 'BF16'];

/** Consecutive elements, row after row, that share a factor. */
export const BLOCK_LENGTH_4BIT = 64;
export const BLOCK_LENGTH_8BIT = 2048;
/** Consecutive factors of `4bit` that share a factor of their own under double quantization. */
export const BLOCK_LENGTH_NESTED = 256;
/** Columns of `int8` and `int4` that share a factor; the last group of a row may be short. */
export const GROUP_COLS = 128;
/** Columns whose three-bit codes lie together in `lossless`: a plane of 64 bits for each of the bits. */
export const LOSSLESS_GROUP_COLS = 64;
export const LOSSLESS_GROUP_BYTES = 24;

export function bytesPerElement(dtype: SourceDType): 2 | 4 {
  return dtype === 'F32' ? 4 : 2;
}
