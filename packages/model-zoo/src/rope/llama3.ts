// Llama 3.1 scaling: long wavelengths are stretched, short ones kept, those between blended.
// Source: transformers, _compute_llama3_parameters.

import { f32, fixedFrequencies, inverseOf, wavelengths, type Frequencies } from './frequencies.js';
import type { RopeScaling } from './rope-config.js';

export function llama3Frequencies(options: {
  theta: number;
  rotaryDim: number;
  scaling: Extract<RopeScaling, { type: 'llama3' }>;
}): Frequencies {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = options.scaling;
  const longest = f32(originalMaxPositions / lowFreqFactor);
  const shortest = f32(originalMaxPositions / highFreqFactor);
  const scale = (frequency: number): number => {
    const wavelength = f32(f32(1 / frequency) * f32(2 * Math.PI));
    if (wavelength > longest) return frequency / factor;
    // With equal factors (Llama 4 Scout) nothing lies between.
    if (wavelength < shortest || lowFreqFactor === highFreqFactor) return frequency;
    const turns = f32(f32(1 / wavelength) * originalMaxPositions);
    const keep = f32(f32(turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor));
    return f32(f32(f32(1 - keep) * frequency) / factor) + f32(keep * frequency);
  };
  return fixedFrequencies(inverseOf(wavelengths(options.theta, options.rotaryDim)).map(scale));
}
