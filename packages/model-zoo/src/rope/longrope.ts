// LongRoPE: one divisor per frequency, from one of two lists. Crossing the original length changes all keys,
// so the sequence is recomputed from its first token.
// Source: arXiv 2402.13753 and transformers, _compute_longrope_parameters.

import { f32, inverseOf, wavelengths, type Frequencies } from './frequencies.js';
import type { RopeScaling } from './rope-config.js';

export function longropeFrequencies(options: {
  theta: number;
  rotaryDim: number;
  scaling: Extract<RopeScaling, { type: 'longrope' }>;
}): Frequencies {
  const { attentionFactor, originalMaxPositions, shortFactor, longFactor } = options.scaling;
  const lengths = wavelengths(options.theta, options.rotaryDim);
  const divided = (divisors: readonly number[]): Float32Array =>
    inverseOf(lengths.map((length, i) => f32(divisors[i] ?? 1) * length));
  const short = divided(shortFactor);
  const long = divided(longFactor);
  const isLong = (sequenceLength: number): boolean => sequenceLength > originalMaxPositions;
  return {
    attentionFactor,
    restartsOnChange: true,
    variant: (sequenceLength) => (isLong(sequenceLength) ? 'long' : 'short'),
    inverse: (sequenceLength) => (isLong(sequenceLength) ? long : short),
  };
}

/** √(1 + ln(factor) / ln(original length)): the sharpening when the config does not give one. */
export function longropeMagnitude(factor: number, originalMaxPositions: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
}
