// Qwen 1's NTK scaling: theta grows in steps with the length of the prompt and then stays for the whole sequence, so
// keys cached for a prompt of another step are invalid.
// Source: the modeling_qwen.py published with Qwen-7B (get_ntk_alpha, RotaryEmbedding).

import { inverseOf, wavelengths, type Frequencies } from './frequencies.js';

/** `rotaryDim` at least 4: the exponent is rotaryDim / (rotaryDim − 2). */
export function promptNtkFrequencies(options: {
  theta: number;
  rotaryDim: number;
  trainedLength: number;
}): Frequencies {
  const { theta, rotaryDim, trainedLength } = options;
  const alphaOf = (promptLength: number): number =>
    Math.max(2 ** Math.ceil(Math.log2(promptLength / trainedLength) + 1) - 1, 1);
  const frequenciesAt = (alpha: number): Float32Array =>
    inverseOf(wavelengths(theta * alpha ** (rotaryDim / (rotaryDim - 2)), rotaryDim));
  let last = { alpha: 1, inverse: frequenciesAt(1) };
  return {
    attentionFactor: 1,
    restartsOnChange: true,
    variant: (_, promptLength) => `alpha ${alphaOf(promptLength)}`,
    inverse(_, promptLength) {
      const alpha = alphaOf(promptLength);
      if (last.alpha !== alpha) last = { alpha, inverse: frequenciesAt(alpha) };
      return last.inverse;
    },
  };
}
