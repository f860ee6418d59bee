// The number formats that weights can have when ops read them, and their sizes.

/**
 * Formats whose values stand alone, as stored in the checkpoint, little-endian. `f8e4m3` (OCP FP8, no infinities) comes
 * with scales.
 */
export type ElementDType = 'f32' | 'f16' | 'bf16' | 'f8e4m3';

/**
 * Formats that pack several values together; only matrices have them. Those of GGUF hold their scales within
 * (`q8_0`, `q4_0`, `q4_k`, `q6_k`); the others come with a {@link WeightPacking}.
 */
export type PackedDType = 'q8_0' | 'q4_0' | 'q4_k' | 'q6_k' | 'mxfp4' | 'code4' | 'gptq4' | 'awq4';

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
  'gptq4',
  'awq4',
];

export function isPacked(dtype: DType): dtype is PackedDType {
  return PACKED_DTYPES.some((packed) => packed === dtype);
}

/** The smallest run of a row that has bytes of its own. */
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
  code4: [2, 1],
  gptq4: [8, 4],
  awq4: [8, 4],
};

/** Rows of a weight in `dtype` are whole blocks of this many elements. */
export function blockElementsOf(dtype: DType): number {
  return BLOCKS[dtype][0];
}

/** Bytes of `elements` weights in `dtype`, a whole number of blocks; companions of packed formats are not counted. */
export function byteLengthOf(dtype: DType, elements: number): number {
  const [blockElements, blockBytes] = BLOCKS[dtype];
  return (elements / blockElements) * blockBytes;
}
