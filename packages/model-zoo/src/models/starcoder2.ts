// StarCoder2: LayerNorm, biases everywhere and an MLP without a gate.
// Source: transformers, models/starcoder2.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { readWindow } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const starcoder2: Family = {
  name: 'starcoder2',
  parse(config) {
    expectFieldValue(config, 'mlp_type', 'default');
    expectFieldValue(config, 'norm_type', 'layer_norm');
    const fields = readDecoderFields(config, {
      maxPositions: 4096,
      normEps: 1e-5,
      ropeTheta: 10_000,
      kvHeads: 2,
      tiedHead: true,
      activation: 'gelu_pytorch_tanh',
      fields: { normEps: 'norm_epsilon' },
    });
    const bias = config.boolean('use_bias', true);
    return composeDecoder(fields, {
      norm: { kind: 'layer', bias: true },
      attention: { biases: { qkv: bias, o: bias }, window: readWindow(config, undefined) },
      mlp: { bias, names: { input: { plain: 'mlp.c_fc' }, down: 'mlp.c_proj' } },
    });
  },
};
