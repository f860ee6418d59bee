// Llama 1, 2, 3 and 3.1+: the plain decoder, with optional biases.
// Source: transformers, models/llama.

import { readDecoderConfig } from '../config/read-decoder-config.js';
import { LLAMA_NAMES } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';

export const llama: Family = {
  name: 'llama',
  names: LLAMA_NAMES,
  parse(config) {
    const attentionBias = config.boolean('attention_bias', false);
    return {
      ...readDecoderConfig(config, { maxPositions: 2048, normEps: 1e-6, ropeTheta: 10_000 }),
      biases: { qkv: attentionBias, o: attentionBias, mlp: config.boolean('mlp_bias', false) },
    };
  },
};
