// YaRN: fast dimensions are kept, slow ones interpolated, with a ramp between; attention is sharpened.
// Source: arXiv 2309.00071 and transformers, _compute_yarn_parameters.

import { f32, fixedFrequencies, inverseOf, wavelengths, type Frequencies } from './frequencies.js';
import type { RopeScaling } from './rope-config.js';

type YarnScaling = Extract<RopeScaling, { type: 'yarn' }>;

export function yarnFrequencies(options: {
  theta: number;
  rotaryDim: number;
  scaling: YarnScaling;
}): Frequencies {
  const { theta, rotaryDim, scaling } = options;
  const lengths = wavelengths(theta, rotaryDim);
  const kept = inverseOf(lengths);
  const interpolated = inverseOf(lengths.map((length) => f32(scaling.factor) * length));
  const [low, high] = correctionRange(options);
  const inverse = kept.map((frequency, i) => {
    const ramp = Math.min(Math.max(f32(f32(i - f32(low)) / f32(high - low)), 0), 1);
    const keep = f32(1 - ramp);
    return f32((interpolated[i] ?? 0) * f32(1 - keep)) + f32(frequency * keep);
  });
  return fixedFrequencies(inverse, scaling.attentionFactor);
}

/** √(1/t) of the paper: 0.1 · mscale · ln(factor) + 1. */
export function yarnMagnitude(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

/** The dimensions between which frequencies change from kept to interpolated. */
function correctionRange(options: {
  theta: number;
  rotaryDim: number;
  scaling: YarnScaling;
}): [number, number] {
  const { theta, rotaryDim, scaling } = options;
  const dimensionOf = (rotations: number): number =>
    (rotaryDim * Math.log(scaling.originalMaxPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const fast = dimensionOf(scaling.betaFast);
  const slow = dimensionOf(scaling.betaSlow);
  const low = Math.max(scaling.truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(scaling.truncate ? Math.ceil(slow) : slow, rotaryDim - 1);
  return [low, high === low ? high + 0.001 : high];
}
