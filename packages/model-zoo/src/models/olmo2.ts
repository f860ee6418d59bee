// OLMo 2: norms after both parts and none before, and norms over the whole of q and k.
// Source: transformers, models/olmo2.

import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { QkNormConfig } from '../decoder/decoder-config.js';
import type { Family } from '../family.js';

export const olmo2: Family = {
  name: 'olmo2',
  parse(config) {
    const fields = readDecoderFields(config, { maxPositions: 2048, normEps: 1e-5, ropeTheta: 10_000 });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(fields, {
      norms: POST_NORMS,
      attention: { biases: { qkv: bias, o: bias }, qkNorm: wholeNorm(fields.normEps) },
    });
  },
};

export const POST_NORMS = {
  afterMixer: 'post_attention_layernorm',
  afterFeedForward: 'post_feedforward_layernorm',
};

/** RMSNorm over all heads of q, and of k, together. */
export function wholeNorm(eps: number): QkNormConfig {
  return { kind: 'rms', eps, weightOffset: 0, bias: false, over: 'row', weight: 'row', when: 'before rope' };
}
