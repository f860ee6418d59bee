// ChatGLM2, ChatGLM3 and GLM-4 under their original names: one matrix for q, k and v, one for gate and up, and
// rotation of interleaved pairs in the first half of each head.
// Source: the modeling_chatglm.py published with chatglm2-6b, chatglm3-6b and their 32k variants.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { expectFieldValue, refuseUnknownArithmetic } from '../config/refuse-unknown-arithmetic.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import { LLAMA_NAMES } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';
import type { RopeConfig } from '../rope/rope-config.js';

export const chatglm: Family = {
  name: 'chatglm',
  names: {
    ...LLAMA_NAMES,
    embedding: 'transformer.embedding.word_embeddings',
    finalNorm: 'transformer.encoder.final_layernorm',
    head: 'transformer.output_layer',
    layer: 'transformer.encoder.layers.{layer}.',
    qkv: { fused: 'self_attention.query_key_value' },
    o: 'self_attention.dense',
    gateUp: { fused: 'mlp.dense_h_to_4h' },
    down: 'mlp.dense_4h_to_h',
  },
  parse: parseChatglm,
};

function parseChatglm(config: ConfigReader): DecoderConfig {
  refuseUnknownArithmetic(config);
  expectFieldValue(config, 'rmsnorm', true);
  expectFieldValue(config, 'post_layer_norm', true);
  expectFieldValue(config, 'apply_residual_connection_post_layernorm', false);
  // Without groups the rows of the fused matrix are in another order.
  expectFieldValue(config, 'multi_query_attention', true);
  const layers = config.integer('num_layers', LIMITS.layers);
  const heads = config.integer('num_attention_heads', LIMITS.heads);
  const kvHeads = config.integer('multi_query_group_num', LIMITS.heads);
  if (heads % kvHeads !== 0) {
    throw config.invalid('multi_query_group_num', `a divisor of num_attention_heads (${heads})`);
  }
  const headDim = config.integer('kv_channels', LIMITS.headDim);
  const bias = config.boolean('add_bias_linear', false);
  const maxPositions = config.integer('seq_length', LIMITS.positions);
  return {
    hiddenSize: config.integer('hidden_size', LIMITS.hiddenSize),
    layers,
    heads,
    kvHeads,
    headDim,
    intermediateSize: config.integer('ffn_hidden_size', LIMITS.intermediateSize),
    vocabSize: config.integer('padded_vocab_size', LIMITS.vocabSize),
    maxPositions,
    normEps: config.number('layernorm_epsilon', LIMITS.normEps, 1e-5),
    activation: 'silu',
    rope: chatglmRope(config, { headDim, maxPositions }),
    slidingWindows: Array.from({ length: layers }, () => undefined),
    biases: { qkv: bias || config.boolean('add_qkv_bias', false), o: bias, mlp: bias },
    qkNorm: false,
    // The original code has no tied form, whatever tie_word_embeddings says.
    tiedHead: false,
    moe: undefined,
  };
}

/**
 * `rope_ratio` scales theta (chatglm3-6b-32k, glm-4). chatglm2-6b-32k divides positions by it instead; its config
 * differs in no field but the name it was published under.
 */
function chatglmRope(config: ConfigReader, sizes: { headDim: number; maxPositions: number }): RopeConfig {
  const { headDim, maxPositions } = sizes;
  const ratio = config.number('rope_ratio', LIMITS.ropeFactor, 1);
  const rotaryDim = Math.trunc(headDim / 2);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) throw config.invalid('kv_channels', 'a multiple of 4');
  const dividesPositions = ratio !== 1 && /chatglm2/i.test(config.string('_name_or_path', ''));
  return {
    theta: dividesPositions ? 10_000 : 10_000 * ratio,
    headDim,
    rotaryDim,
    style: 'interleaved',
    maxPositions,
    scaling: dividesPositions ? { type: 'linear', factor: ratio } : { type: 'default' },
  };
}
