// What a rope type provides, and the frequencies they all start from. The reference computes in float32 and
// small differences grow with the position, so every step is rounded where the reference rounds.

/** Rounds to float32. */
export const f32 = Math.fround;

/** Frequencies of a rope type, possibly depending on the sequence length. */
export interface Frequencies {
  /** Multiplies cosines and sines. */
  readonly attentionFactor: number;
  /** See {@link Rope.restartsOnChange}. */
  readonly restartsOnChange: boolean;
  /** See {@link Rope.variant}. */
  variant(sequenceLength: number, promptLength: number): string;
  /** rotaryDim / 2 angles per position, for passes whose variant is that of these lengths. */
  inverse(sequenceLength: number, promptLength: number): Float32Array;
}

/** Frequencies that never change. */
export function fixedFrequencies(inverse: Float32Array, attentionFactor = 1): Frequencies {
  return { attentionFactor, restartsOnChange: false, variant: () => 'default', inverse: () => inverse };
}

/** theta ^ (2i / rotaryDim) for i in [0, rotaryDim / 2). Source: RoFormer (arXiv 2104.09864). */
export function wavelengths(theta: number, rotaryDim: number): Float32Array {
  return Float32Array.from({ length: rotaryDim / 2 }, (_, i) => f32(theta) ** f32((2 * i) / rotaryDim));
}

/** 1 / wavelength: the angle per position. */
export function inverseOf(lengths: Float32Array): Float32Array {
  return lengths.map((length) => 1 / length);
}
