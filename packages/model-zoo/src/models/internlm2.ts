// InternLM 2 and 2.5: one matrix for q, k and v, grouped by key head.
// Source: the modeling_internlm2.py published with internlm2-7b.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const internlm2: Family = {
  name: 'internlm2',
  parse(config) {
    const fields = readDecoderFields(config, { maxPositions: 2048, normEps: 1e-6, ropeTheta: 10_000 });
    const bias = config.boolean('bias', true);
    return composeDecoder(fields, {
      names: {
        embedding: 'model.tok_embeddings',
        finalNorm: 'model.norm',
        head: 'output',
        layer: 'model.layers.{layer}.',
      },
      norms: { beforeMixer: 'attention_norm', beforeFeedForward: 'ffn_norm' },
      attention: {
        biases: { qkv: bias, o: bias },
        names: { qkv: { grouped: 'attention.wqkv' }, o: 'attention.wo' },
      },
      mlp: {
        names: { input: { gate: 'feed_forward.w1', up: 'feed_forward.w3' }, down: 'feed_forward.w2' },
      },
    });
  },
};
