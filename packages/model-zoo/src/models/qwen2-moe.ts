// Qwen1.5-MoE and Qwen2-MoE: Qwen2 with routed experts and a gated shared one, except in layers that stay dense.
// Source: transformers, models/qwen2_moe.

import type { ConfigReader } from '../config/config-reader.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import { readQwenMixture } from '../experts/read-qwen-mixture.js';
import type { Family } from '../family.js';

export const qwen2Moe: Family = {
  name: 'qwen2-moe',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 32_768,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 16,
    });
    const windows = readWindows(config, fields.layers);
    return composeDecoder(fields, {
      attention: { biases: { qkv: config.boolean('qkv_bias', true), o: false } },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
      feedForward: readQwenMixture(config, fields, { normalizeTopK: false, hasSharedExpert: true }),
    });
  },
};

/** Without `layer_types` versions of transformers disagree on which layers are windowed, so none may be. */
function readWindows(config: ConfigReader, layers: number): (number | undefined)[] {
  if (!config.has('layer_types')) expectFieldValue(config, 'use_sliding_window', false);
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 4096) : undefined;
  return slidingWindows(config, { layers, window, firstLayer: 0 });
}
