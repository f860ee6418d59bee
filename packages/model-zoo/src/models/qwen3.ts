// Qwen3 (dense): RMSNorm over every head of q and k, and a head size of its own.
// Source: transformers, models/qwen3.

import { readDecoderConfig } from '../config/read-decoder-config.js';
import { LLAMA_NAMES } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';
import { qwenWindows } from './qwen2.js';

export const qwen3: Family = {
  name: 'qwen3',
  names: LLAMA_NAMES,
  parse(config) {
    const decoder = readDecoderConfig(config, {
      maxPositions: 32_768,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 32,
      headDim: 128,
    });
    const attentionBias = config.boolean('attention_bias', false);
    return {
      ...decoder,
      biases: { qkv: attentionBias, o: attentionBias, mlp: false },
      qkNorm: true,
      slidingWindows: qwenWindows(config, decoder.layers),
    };
  },
};
