// Linear scaling: positions are divided by a factor, by way of the frequencies.
// Source: transformers, _compute_linear_scaling_rope_parameters.

import { fixedFrequencies, inverseOf, wavelengths, type Frequencies } from './frequencies.js';

export function linearFrequencies(options: {
  theta: number;
  rotaryDim: number;
  factor: number;
}): Frequencies {
  const { theta, rotaryDim, factor } = options;
  return fixedFrequencies(inverseOf(wavelengths(theta, rotaryDim)).map((frequency) => frequency / factor));
}
