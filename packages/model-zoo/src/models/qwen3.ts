// Qwen3 (dense): RMSNorm over every head of q and k, and a head size of its own.
// Source: transformers, models/qwen3.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder, headNorm } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import { qwenWindows } from './qwen2.js';

export const qwen3: Family = {
  name: 'qwen3',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 32_768,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 32,
      headDim: 128,
    });
    const attentionBias = config.boolean('attention_bias', false);
    const windows = qwenWindows(config, fields.layers);
    return composeDecoder(fields, {
      attention: {
        biases: { qkv: attentionBias, o: attentionBias },
        qkNorm: headNorm(fields.normEps),
      },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
    });
  },
};
