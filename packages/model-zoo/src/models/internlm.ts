// InternLM 1: Llama with biases on q, k, v and the output of attention.
// Source: InternLM, tools/transformers/modeling_internlm.py.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';
import type { RopeConfig } from '../rope/rope-config.js';

export const internlm: Family = {
  name: 'internlm',
  parse(config) {
    const fields = readDecoderFields(config, { maxPositions: 2048, normEps: 1e-6, ropeTheta: 10_000 });
    const bias = config.boolean('bias', true);
    return composeDecoder(
      { ...fields, rope: internlmRope(config, fields.rope) },
      { attention: { biases: { qkv: bias, o: bias } } },
    );
  },
};

/** `rotary: { base, type, scaling_factor }` of later configs, `type` being `origin` or `dynamic`. */
function internlmRope(config: ConfigReader, rope: RopeConfig): RopeConfig {
  const rotary = config.section('rotary');
  if (!rotary) return rope;
  const theta = rotary.number('base', LIMITS.ropeTheta, rope.theta);
  if (rotary.string('type', 'origin') === 'origin') return { ...rope, theta };
  expectFieldValue(rotary, 'type', 'dynamic');
  const factor = rotary.number('scaling_factor', LIMITS.ropeFactor, 1);
  return { ...rope, theta, scaling: { type: 'dynamic', factor } };
}
