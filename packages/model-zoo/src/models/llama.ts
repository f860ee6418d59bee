// Llama 1, 2, 3 and 3.1+: the plain decoder, with optional biases.
// Source: transformers, models/llama.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const llama: Family = {
  name: 'llama',
  parse(config) {
    const attentionBias = config.boolean('attention_bias', false);
    const fields = readDecoderFields(config, { maxPositions: 2048, normEps: 1e-6, ropeTheta: 10_000 });
    return composeDecoder(fields, {
      attention: { biases: { qkv: attentionBias, o: attentionBias } },
      mlp: { bias: config.boolean('mlp_bias', false) },
    });
  },
};
