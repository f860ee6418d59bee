// Qwen3-MoE: Qwen3 with routed experts, except in layers that stay dense.
// Source: transformers, models/qwen3_moe.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder, headNorm } from '../decoder/compose-decoder.js';
import { readQwenMixture } from '../experts/read-qwen-mixture.js';
import type { Family } from '../family.js';

export const qwen3Moe: Family = {
  name: 'qwen3-moe',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 32_768,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 4,
      honours: ['use_qk_norm'],
    });
    expectFieldValue(config, 'use_qk_norm', true);
    const bias = config.boolean('attention_bias', false);
    const window = config.boolean('use_sliding_window', false) ? readWindow(config, 4096) : undefined;
    const windows = slidingWindows(config, { layers: fields.layers, window, firstLayer: 0 });
    return composeDecoder(fields, {
      attention: { biases: { qkv: bias, o: bias }, qkNorm: headNorm(fields.normEps) },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
      feedForward: readQwenMixture(config, fields, { normalizeTopK: false, hasSharedExpert: false }),
    });
  },
};
