// DeepSeek V2, V3 and R1, and Kimi K2: latent attention, dense layers first, then experts chosen by groups beside
// shared ones.
// Source: transformers, models/deepseek_v2 and deepseek_v3.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder, type DecoderFields } from '../decoder/compose-decoder.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import { readDeepseekMixture, type DeepseekVersion } from '../experts/read-deepseek-mixture.js';
import type { Family } from '../family.js';
import { LatentAttention } from '../latent/latent-attention.js';
import { latentScale } from '../latent/latent-scale.js';

export const deepseekV2: Family = { name: 'deepseek-v2', parse: (config) => parseDeepseek(config, 2) };
export const deepseekV3: Family = { name: 'deepseek-v3', parse: (config) => parseDeepseek(config, 3) };

function parseDeepseek(config: ConfigReader, version: DeepseekVersion): DecoderConfig {
  expectFieldValue(config, 'mlp_bias', false);
  const fields = readDecoderFields(config, {
    maxPositions: version === 2 ? 2048 : 4096,
    normEps: 1e-6,
    ropeTheta: 10_000,
    fields: { headDim: 'qk_rope_head_dim' },
  });
  const style = config.boolean('rope_interleave', true) ? 'interleaved' : 'half';
  const mixer = readLatentAttention(config, fields, style);
  const mixture = readDeepseekMixture(config, fields, version);
  const range = { min: 0, max: LIMITS.layers.max };
  const firstMixture = config.integer('first_k_dense_replace', range, version === 2 ? 0 : 3);
  return composeDecoder(fields, {
    ropes: [{ ...fields.rope, style }],
    mixer: () => mixer,
    feedForward: (layer, mlp) => (layer < firstMixture ? mlp : mixture),
  });
}

function readLatentAttention(
  config: ConfigReader,
  { heads, headDim: ropeDim, normEps }: DecoderFields,
  ropeStyle: 'half' | 'interleaved',
): LatentAttention {
  const width = (field: string): number => config.integer(field, LIMITS.headDim);
  const nopeDim = width('qk_nope_head_dim');
  return new LatentAttention({
    heads,
    // The reference's default is 1536, and null says that there is none.
    queryRank: config.isNull('q_lora_rank')
      ? undefined
      : config.integer('q_lora_rank', LIMITS.hiddenSize, 1536),
    rank: width('kv_lora_rank'),
    nopeDim,
    ropeDim,
    valueDim: width('v_head_dim'),
    scale: latentScale(config, nopeDim + ropeDim),
    normEps,
    ropeStyle,
    bias: config.boolean('attention_bias', false),
  });
}
