// Qwen2 and Qwen2.5: biases on q, k and v, and windows only in the upper layers of models that enable them.
// Source: transformers, models/qwen2.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const qwen2: Family = {
  name: 'qwen2',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 32_768,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 32,
    });
    const windows = qwenWindows(config, fields.layers);
    return composeDecoder(fields, {
      attention: { biases: { qkv: true, o: false } },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
    });
  },
};

/** The window counts only with `use_sliding_window`, and from layer `max_window_layers` on. */
export function qwenWindows(config: ConfigReader, layers: number): (number | undefined)[] {
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 4096) : undefined;
  const firstLayer = config.integer('max_window_layers', { min: 0, max: LIMITS.positions.max }, 28);
  return slidingWindows(config, { layers, window, firstLayer });
}
