// Gemma 3 (text): Gemma 2 with normed queries and keys in place of the caps, and a rotary embedding of its own for the
// layers with a window, five of six.
// Source: transformers, models/gemma3.

import { LIMITS } from '../config/limits.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder, headNorm } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import { gemmaParts, readGemmaFields } from './gemma.js';
import { queryScale, readSoftcap, SANDWICH_NORMS } from './gemma2.js';

export const gemma3: Family = {
  name: 'gemma3',
  parse(config) {
    const fields = readGemmaFields(config, {
      heads: 8,
      kvHeads: 4,
      vocabSize: 262_208,
      maxPositions: 131_072,
      ropeTheta: 1_000_000,
      slidingRope: { theta: 10_000, field: 'rope_local_base_freq' },
      activation: 'gelu_pytorch_tanh',
      fields: { activation: 'hidden_activation' },
      honours: ['attn_logit_softcapping', 'final_logit_softcapping', 'query_pre_attn_scalar'],
    });
    const fullEvery = config.integer('sliding_window_pattern', LIMITS.layers, 6);
    const window = readWindow(config, 4096);
    const windows = slidingWindows(config, { layers: fields.layers, window, fullEvery });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(fields, {
      ...gemmaParts(fields),
      // The config states the length after scaling.
      maxPositions: fields.rope.maxPositions,
      norms: SANDWICH_NORMS,
      logitSoftcap: readSoftcap(config, 'final_logit_softcapping', undefined),
      attention: {
        biases: { qkv: bias, o: bias },
        scale: queryScale(config),
        softcap: readSoftcap(config, 'attn_logit_softcapping', undefined),
        qkNorm: headNorm(fields.normEps, 1),
      },
      mixer: (layer, attention) => ({
        ...attention,
        window: windows[layer],
        rope: windows[layer] === undefined ? 0 : 1,
      }),
    });
  },
};
