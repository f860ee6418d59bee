// Gemma 2: norms before and after both parts, soft caps on scores and logits, a window in every other layer.
// Source: transformers, models/gemma2.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import { gemmaParts, readGemmaFields } from './gemma.js';

export const gemma2: Family = {
  name: 'gemma2',
  parse(config) {
    const fields = readGemmaFields(config, {
      kvHeads: 4,
      activation: 'gelu_pytorch_tanh',
      fields: { activation: 'hidden_activation' },
      honours: ['attn_logit_softcapping', 'final_logit_softcapping', 'query_pre_attn_scalar'],
    });
    const window = readWindow(config, 4096);
    const windows = slidingWindows(config, { layers: fields.layers, window, fullEvery: 2 });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(fields, {
      ...gemmaParts(fields),
      norms: SANDWICH_NORMS,
      logitSoftcap: readSoftcap(config, 'final_logit_softcapping', 30),
      attention: {
        biases: { qkv: bias, o: bias },
        scale: queryScale(config),
        softcap: readSoftcap(config, 'attn_logit_softcapping', 50),
      },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
    });
  },
};

export const SANDWICH_NORMS = {
  beforeMixer: 'input_layernorm',
  afterMixer: 'post_attention_layernorm',
  beforeFeedForward: 'pre_feedforward_layernorm',
  afterFeedForward: 'post_feedforward_layernorm',
};

/** Null means none; `whenAbsent` is the modeling code's default. */
export function readSoftcap(
  config: ConfigReader,
  field: string,
  whenAbsent: number | undefined,
): number | undefined {
  if (config.has(field)) return config.number(field, LIMITS.softcap);
  return config.isNull(field) ? undefined : whenAbsent;
}

/** Scores are scaled by a width that need not be that of a head. */
export function queryScale(config: ConfigReader): number {
  return config.number('query_pre_attn_scalar', LIMITS.queryPreAttnScalar, 256) ** -0.5;
}
