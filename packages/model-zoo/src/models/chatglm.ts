// ChatGLM2, ChatGLM3 and GLM-4 under their original names: one matrix for q, k and v, one for gate and up, and
// rotation of interleaved pairs in the first half of each head.
// Source: the modeling_chatglm.py published with chatglm2-6b, chatglm3-6b and their 32k variants.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import type { RopeConfig } from '../rope/rope-config.js';

export const chatglm: Family = {
  name: 'chatglm',
  parse(config) {
    expectFieldValue(config, 'rmsnorm', true);
    expectFieldValue(config, 'post_layer_norm', true);
    expectFieldValue(config, 'original_rope', true);
    // Without groups the rows of the fused matrix are in another order.
    expectFieldValue(config, 'multi_query_attention', true);
    const fields = readDecoderFields(config, {
      maxPositions: 2048,
      normEps: 1e-5,
      ropeTheta: 10_000,
      partialRotaryFactor: 0.5,
      fields: {
        layers: 'num_layers',
        kvHeads: 'multi_query_group_num',
        headDim: 'kv_channels',
        intermediateSize: 'ffn_hidden_size',
        vocabSize: 'padded_vocab_size',
        maxPositions: 'seq_length',
        normEps: 'layernorm_epsilon',
      },
    });
    const bias = config.boolean('add_bias_linear', false);
    // The original code has no tied form, whatever tie_word_embeddings says.
    return composeDecoder(
      { ...fields, tiedHead: false, rope: chatglmRope(config, fields.rope) },
      {
        names: {
          embedding: 'transformer.embedding.word_embeddings',
          finalNorm: 'transformer.encoder.final_layernorm',
          head: 'transformer.output_layer',
          layer: 'transformer.encoder.layers.{layer}.',
        },
        attention: {
          biases: { qkv: bias || config.boolean('add_qkv_bias', false), o: bias },
          names: { qkv: { fused: 'self_attention.query_key_value' }, o: 'self_attention.dense' },
        },
        mlp: { bias, names: { input: { fused: 'mlp.dense_h_to_4h' }, down: 'mlp.dense_4h_to_h' } },
      },
    );
  },
};

/**
 * `rope_ratio` scales theta (chatglm3-6b-32k, glm-4). chatglm2-6b-32k divides positions by it instead; its config
 * differs in no field but the name it was published under.
 */
function chatglmRope(config: ConfigReader, rope: RopeConfig): RopeConfig {
  const ratio = config.number('rope_ratio', LIMITS.ropeFactor, 1);
  const dividesPositions = ratio !== 1 && /chatglm2/i.test(config.string('_name_or_path', ''));
  return {
    ...rope,
    theta: dividesPositions ? 10_000 : 10_000 * ratio,
    style: 'interleaved',
    scaling: dividesPositions ? { type: 'linear', factor: ratio } : { type: 'default' },
  };
}
