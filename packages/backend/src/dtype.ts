// The number formats that weights can have when ops read them, and their sizes.

import type { WeightPacking } from './packing.js';

/**
 * Formats whose values stand alone, as stored in the checkpoint, little-endian. `f8e4m3` (OCP FP8, no infinities) comes
 * with scales.
 */
export type ElementDType = 'f32' | 'f16' | 'bf16' | 'f8e4m3';

/** Packed formats of GGUF, which hold their scales within. */
export type GgufDType = 'q8_0' | 'q4_0' | 'q4_k' | 'q6_k';

/** Formats whose values need more than their bytes, or share them; only matrices have them. All but GGUF's come with a {@link WeightPacking}. */
export type PackedDType = GgufDType | WeightPacking['kind'];

/** Number format of a weight. */
export type DType = ElementDType | PackedDType;

/** Formats whose values stand alone. */
export const DTYPES: readonly ElementDType[] = ['f32', 'f16', 'bf16', 'f8e4m3'];

export const PACKED_DTYPES: readonly PackedDType[] = [
  'q8_0',
  'q4_0',
  'q4_k',
  'q6_k',
  'mxfp4',
  'code4',
  'code8',
  'gptq4',
  'awq4',
  'int8',
  'int4',
  'bf16z',
];

export function isPacked(dtype: DType): dtype is PackedDType {
  return PACKED_DTYPES.some((packed) => packed === dtype);
}

/** Formats that nothing stands beside. */
export function isGguf(dtype: PackedDType): dtype is GgufDType {
  return dtype.startsWith('q');
}

/** The smallest run of a row that may begin and end anywhere; rows of `code4` may begin within a byte. */
const BLOCKS: Readonly<Record<DType, readonly [elements: number, bytes: number]>> = {
  f32: [1, 4],
  f16: [1, 2],
  bf16: [1, 2],
  f8e4m3: [1, 1],
  q8_0: [32, 34],
  q4_0: [32, 18],
  q4_k: [256, 144],
  q6_k: [256, 210],
  mxfp4: [32, 16],
  code4: [1, 0.5],
  code8: [1, 1],
  gptq4: [8, 4],
  awq4: [8, 4],
  int8: [1, 1],
  int4: [2, 1],
  bf16z: [1, 1],
};

/** Rows of a weight in `dtype` are whole blocks of this many elements. */
export function blockElementsOf(dtype: DType): number {
  return BLOCKS[dtype][0];
}

/** Whole bytes of `elements` weights in `dtype`, a whole number of blocks; companions of packed formats are not counted. */
export function byteLengthOf(dtype: DType, elements: number): number {
  const [blockElements, blockBytes] = BLOCKS[dtype];
  return Math.ceil((elements / blockElements) * blockBytes);
}
