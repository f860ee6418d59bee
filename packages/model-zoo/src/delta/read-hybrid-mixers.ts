// The mixers of Qwen3-Next and Qwen3.5: gated delta nets, with gated attention in every so many layers.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { headNorm, type DecoderFields } from '../decoder/compose-decoder.js';
import type { Mixer } from '../decoder/decoder-config.js';
import { GatedAttention } from './gated-attention.js';
import { GatedDeltaNet } from './gated-delta-net.js';
import type { GatedDeltaNetConfig } from './gated-delta-net-config.js';

/** The mixer of every layer, for {@link composeDecoder}. Throws {@link ModelError}. */
export function readHybridMixers(
  config: ConfigReader,
  fields: DecoderFields,
  inputs: GatedDeltaNetConfig['inputs'],
): (layer: number) => Mixer {
  expectFieldValue(config, 'attn_output_gate', true);
  const { heads, kvHeads, headDim, normEps, rope } = fields;
  const attention = new GatedAttention({
    heads,
    kvHeads,
    headDim,
    scale: headDim ** -0.5,
    rope,
    qkNorm: headNorm(normEps, 1),
    bias: config.boolean('attention_bias', false),
  });
  const delta = new GatedDeltaNet({ ...readDeltaSizes(config), normEps, inputs });
  const isDelta = readDeltaLayers(config, fields.layers);
  return (layer) => (isDelta[layer] ? delta : attention);
}

function readDeltaSizes(config: ConfigReader): Omit<GatedDeltaNetConfig, 'normEps' | 'inputs'> {
  // The convolution is followed by the model's activation, and only silu is an op.
  expectFieldValue(config, 'hidden_act', 'silu');
  const keyHeads = config.integer('linear_num_key_heads', LIMITS.heads, 16);
  const valueHeads = config.integer('linear_num_value_heads', LIMITS.heads, 32);
  if (valueHeads % keyHeads !== 0) {
    throw config.invalid('linear_num_value_heads', `a multiple of linear_num_key_heads (${keyHeads})`);
  }
  return {
    keyHeads,
    valueHeads,
    keyDim: config.integer('linear_key_head_dim', LIMITS.headDim, 128),
    valueDim: config.integer('linear_value_head_dim', LIMITS.headDim, 128),
    convWidth: config.integer('linear_conv_kernel_dim', { min: 2, max: 64 }, 4),
  };
}

function readDeltaLayers(config: ConfigReader, layers: number): boolean[] {
  if (!config.has('layer_types')) {
    const interval = config.integer('full_attention_interval', LIMITS.layers, 4);
    return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  }
  const types = config.fields['layer_types'];
  const known: unknown[] = ['linear_attention', 'full_attention'];
  if (Array.isArray(types) && types.length === layers && types.every((type) => known.includes(type))) {
    return types.map((type) => type === 'linear_attention');
  }
  throw config.invalid('layer_types', `a list of ${layers} times ${known.join(' or ')}`);
}
