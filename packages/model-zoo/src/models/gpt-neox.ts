// GPT-NeoX and Pythia: LayerNorm, one matrix for q, k and v grouped by head, rotation of the first quarter of each
// head, and both parts reading the same stream.
// Source: transformers, models/gpt_neox.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const gptNeox: Family = {
  name: 'gpt-neox',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 2048,
      normEps: 1e-5,
      ropeTheta: 10_000,
      partialRotaryFactor: 0.25,
      ropeNames: { theta: 'rotary_emb_base', partial: 'rotary_pct' },
      activation: 'gelu',
      fields: { normEps: 'layer_norm_eps' },
      honours: ['use_parallel_residual'],
    });
    const bias = config.boolean('attention_bias', true);
    return composeDecoder(fields, {
      names: {
        embedding: 'gpt_neox.embed_in',
        finalNorm: 'gpt_neox.final_layer_norm',
        head: 'embed_out',
        layer: 'gpt_neox.layers.{layer}.',
      },
      norm: { kind: 'layer', bias: true },
      parallel: config.boolean('use_parallel_residual', true),
      attention: {
        biases: { qkv: bias, o: bias },
        names: { qkv: { grouped: 'attention.query_key_value' }, o: 'attention.dense' },
      },
      mlp: {
        bias: true,
        names: { input: { plain: 'mlp.dense_h_to_4h' }, down: 'mlp.dense_4h_to_h' },
      },
    });
  },
};
