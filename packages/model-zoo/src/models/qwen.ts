// Qwen 1: names of its own, one biased matrix for q, k and v, queries that grow with the logarithm of the position
// beyond the trained length, and rope that is stretched by the length of the prompt.
// Source: the modeling_qwen.py and configuration_qwen.py published with Qwen-7B.

import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

/** The fields of the first published configs. */
const FIRST_NAMES = {
  hiddenSize: 'n_embd',
  layers: 'n_layer',
  heads: 'n_head',
  intermediateSize: 'ffn_hidden_size',
  maxPositions: 'n_positions',
};

export const qwen: Family = {
  name: 'qwen',
  parse(config) {
    expectFieldValue(config, 'activation', 'swiglu');
    expectFieldValue(config, 'scale_attn_weights', true);
    const fields = readDecoderFields(config, {
      maxPositions: 8192,
      normEps: 1e-6,
      ropeTheta: 10_000,
      ropeNames: { theta: 'rotary_emb_base', partial: 'rotary_pct' },
      fields: {
        ...(config.has('n_embd') && FIRST_NAMES),
        headDim: 'kv_channels',
        normEps: 'layer_norm_epsilon',
      },
      honours: ['use_dynamic_ntk', 'use_logn_attn'],
    });
    if (fields.rope.rotaryDim < 4) throw config.invalid('kv_channels', 'at least 4 rotated columns');
    // The config counts gate and up together.
    const width = fields.intermediateSize / 2;
    if (!Number.isInteger(width)) throw config.invalid('intermediate_size', 'an even number');
    const trainedLength = config.integer('seq_length', LIMITS.positions, 2048);
    const logn = config.boolean('use_logn_attn', true);
    const scaling = { type: 'prompt-ntk', trainedLength } as const;
    const bias = !config.boolean('no_bias', true);
    return composeDecoder(fields, {
      names: {
        embedding: 'transformer.wte',
        finalNorm: 'transformer.ln_f',
        head: 'lm_head',
        layer: 'transformer.h.{layer}.',
      },
      norms: { beforeMixer: 'ln_1', beforeFeedForward: 'ln_2' },
      ropes: [config.boolean('use_dynamic_ntk', true) ? { ...fields.rope, scaling } : fields.rope],
      rowScales: logn ? [lognScale(trainedLength)] : [],
      attention: {
        biases: { qkv: true, o: bias },
        names: { qkv: { fused: 'attn.c_attn' }, o: 'attn.c_proj' },
        queryScale: logn ? 0 : undefined,
      },
      mlp: {
        width,
        bias,
        names: { input: { gate: 'mlp.w2', up: 'mlp.w1' }, down: 'mlp.c_proj' },
      },
    });
  },
};

/** log of the row's 1-based position to the base of the trained length, from there on. */
function lognScale(trainedLength: number): (position: number) => number {
  return (position) => (position + 1 > trainedLength ? Math.log(position + 1) / Math.log(trainedLength) : 1);
}
