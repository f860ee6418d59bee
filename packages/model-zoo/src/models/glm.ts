// GLM and GLM-4 as transformers names them: biased q, k and v, one matrix for gate and up, rotation of interleaved
// pairs in half of each head. GLM-4 norms what each part adds, too.
// Source: transformers, models/glm and models/glm4.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import type { ConfigReader } from '../config/config-reader.js';
import { NORM_NAMES, type NormNames } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';

export const glm: Family = { name: 'glm', parse: (config) => parseGlm(config, NORM_NAMES) };

export const glm4: Family = {
  name: 'glm4',
  parse: (config) =>
    parseGlm(config, {
      ...NORM_NAMES,
      afterMixer: 'post_self_attn_layernorm',
      afterFeedForward: 'post_mlp_layernorm',
    }),
};

function parseGlm(config: ConfigReader, norms: NormNames): DecoderConfig {
  const fields = readDecoderFields(config, {
    maxPositions: 131_072,
    normEps: 1.5625e-7,
    ropeTheta: 10_000,
    partialRotaryFactor: 0.5,
    kvHeads: 2,
    headDim: 128,
  });
  return composeDecoder(fields, {
    norms,
    ropes: [{ ...fields.rope, style: 'interleaved' }],
    attention: { biases: { qkv: config.boolean('attention_bias', true), o: false } },
    mlp: { names: { input: { fused: 'mlp.gate_up_proj' }, down: 'mlp.down_proj' } },
  });
}
