// Dynamic NTK scaling: theta grows with the sequence once it is longer than the model was trained for. Keys
// already cached keep the frequencies they were written with.
// Source: transformers, _compute_dynamic_ntk_parameters and dynamic_frequency_update.

import { f32, inverseOf, wavelengths, type Frequencies } from './frequencies.js';

export interface DynamicOptions {
  theta: number;
  /** At least 4: the exponent is rotaryDim / (rotaryDim − 2). */
  rotaryDim: number;
  factor: number;
  maxPositions: number;
}

export function dynamicFrequencies(options: DynamicOptions): Frequencies {
  const { maxPositions } = options;
  let last = { length: maxPositions, inverse: frequenciesAt(maxPositions, options) };
  const short = last.inverse;
  return {
    attentionFactor: 1,
    restartsOnChange: false,
    variant: (sequenceLength) => (sequenceLength > maxPositions ? `length ${sequenceLength}` : 'default'),
    inverse(sequenceLength) {
      if (sequenceLength <= maxPositions) return short;
      if (last.length !== sequenceLength) {
        last = { length: sequenceLength, inverse: frequenciesAt(sequenceLength, options) };
      }
      return last.inverse;
    },
  };
}

function frequenciesAt(
  length: number,
  { theta, rotaryDim, factor, maxPositions }: DynamicOptions,
): Float32Array {
  // The reference has a float32 tensor for the length of a forward pass, and a Python float for the first table.
  const round = length > maxPositions ? f32 : (value: number) => value;
  const stretch = round(round(round(factor * length) / maxPositions) - (factor - 1));
  const base = round(theta * round(stretch ** round(rotaryDim / (rotaryDim - 2))));
  return inverseOf(wavelengths(base, rotaryDim));
}
