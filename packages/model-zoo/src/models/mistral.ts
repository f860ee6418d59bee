// Mistral: Llama with a sliding window in every layer. An absent `sliding_window` means 4096, null means none.
// Source: transformers, models/mistral.

import { readDecoderConfig } from '../config/read-decoder-config.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { LLAMA_NAMES } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';

export const mistral: Family = {
  name: 'mistral',
  names: LLAMA_NAMES,
  parse(config) {
    const decoder = readDecoderConfig(config, {
      maxPositions: 131_072,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 8,
    });
    const window = readWindow(config, 4096);
    return {
      ...decoder,
      slidingWindows: slidingWindows(config, { layers: decoder.layers, window, firstLayer: 0 }),
    };
  },
};
