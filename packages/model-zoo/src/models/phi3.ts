// Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: one matrix for q, k and v, one for gate and up.
// Source: transformers, models/phi3.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const phi3: Family = {
  name: 'phi3',
  parse(config) {
    const fields = readDecoderFields(config, { maxPositions: 4096, normEps: 1e-5, ropeTheta: 10_000 });
    return composeDecoder(fields, {
      attention: {
        names: { qkv: { fused: 'self_attn.qkv_proj' } },
        window: readWindow(config, undefined),
      },
      mlp: { names: { input: { fused: 'mlp.gate_up_proj' }, down: 'mlp.down_proj' } },
    });
  },
};
