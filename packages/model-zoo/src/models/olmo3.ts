// OLMo 3: OLMo 2 with a window in three layers of four; only the fourth's rope is scaled.
// Source: transformers, models/olmo3.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import { POST_NORMS, wholeNorm } from './olmo2.js';

export const olmo3: Family = {
  name: 'olmo3',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 2048,
      normEps: 1e-5,
      ropeTheta: 500_000,
      slidingRope: { theta: 500_000 },
    });
    const window = readWindow(config, 4096);
    const windows = slidingWindows(config, { layers: fields.layers, window, fullEvery: 4 });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(fields, {
      norms: POST_NORMS,
      attention: { biases: { qkv: bias, o: bias }, qkNorm: wholeNorm(fields.normEps) },
      mixer: (layer, attention) => ({
        ...attention,
        window: windows[layer],
        rope: windows[layer] === undefined ? 0 : 1,
      }),
    });
  },
};
