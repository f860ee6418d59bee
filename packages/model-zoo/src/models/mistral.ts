// Mistral: Llama with a sliding window in every layer. An absent `sliding_window` means 4096, null means none.
// Source: transformers, models/mistral.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const mistral: Family = {
  name: 'mistral',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 131_072,
      normEps: 1e-6,
      ropeTheta: 10_000,
      kvHeads: 8,
    });
    const window = readWindow(config, 4096);
    const windows = slidingWindows(config, { layers: fields.layers, window, firstLayer: 0 });
    return composeDecoder(fields, {
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
    });
  },
};
