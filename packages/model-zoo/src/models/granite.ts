// Granite 3: Llama with multipliers on the embeddings, the scores, what each part adds, and the logits.
// Source: transformers, models/granite.

import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const granite: Family = {
  name: 'granite',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 2048,
      normEps: 1e-6,
      ropeTheta: 10_000,
      honours: ['embedding_multiplier', 'attention_multiplier', 'residual_multiplier', 'logits_scaling'],
    });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(fields, {
      embeddingScale: config.number('embedding_multiplier', LIMITS.multiplier, 1),
      residualScale: config.number('residual_multiplier', LIMITS.multiplier, 1),
      logitScale: 1 / config.number('logits_scaling', LIMITS.multiplier, 1),
      attention: {
        biases: { qkv: bias, o: bias },
        scale: config.number('attention_multiplier', LIMITS.multiplier, 1),
      },
      mlp: { bias: config.boolean('mlp_bias', false) },
    });
  },
};
