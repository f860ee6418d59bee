// Config fields that change what a model computes and that no definition here records. A field that is
// ignored gives plausible, wrong text; so these are refused unless they say "off".

import { ModelError } from '../errors.js';
import type { ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';
import { quantizationMethod } from './quantization.js';

/** Field → values under which it changes nothing. Absent and null never change anything. */
const HARMLESS_VALUES = {
  alibi: [false],
  apply_residual_connection_post_layernorm: [false],
  attention_chunk_size: [],
  attention_multiplier: [],
  attn_logit_softcapping: [],
  clip_qkv: [],
  embedding_multiplier: [1],
  final_logit_softcapping: [],
  full_attn_mod: [1],
  interpolate_factor: [1],
  is_encoder_decoder: [false],
  lm_head_bias: [false],
  logit_scale: [1],
  logits_scaling: [1],
  no_rope_layers: [],
  order_of_interleaved_layers: ['local_attn_first'],
  parallel_attn: [false],
  position_encoding_2d: [false],
  pre_seq_len: [0],
  qk_layernorm: [false],
  query_pre_attn_scalar: [],
  residual_multiplier: [1],
  scale_depth: [],
  scale_emb: [1],
  use_bidirectional_attention: [false],
  use_dynamic_ntk: [false],
  use_gated_activation: [true],
  use_logn_attn: [false],
  use_mrope: [false],
  use_parallel_block: [true],
  use_parallel_residual: [false],
  use_qk_norm: [false],
} satisfies Record<string, readonly unknown[]>;

/** A field that is refused unless a family honours it. */
export type ArithmeticField = keyof typeof HARMLESS_VALUES;

/**
 * Throws `UNSUPPORTED_QUANTIZATION` or `UNSUPPORTED_FIELD` for the first field that cannot be honoured, apart from
 * those that the family computes.
 */
export function refuseUnknownArithmetic(
  config: ConfigReader,
  honoured: readonly ArithmeticField[] = [],
): void {
  quantizationMethod(config);
  const refused: Record<string, readonly unknown[]> = HARMLESS_VALUES;
  for (const [field, harmless] of Object.entries(refused)) {
    if ((honoured as readonly string[]).includes(field)) continue;
    if (!config.has(field) || harmless.includes(config.fields[field])) continue;
    throw unsupportedField(config, field, harmless);
  }
}

/** Throws `UNSUPPORTED_FIELD` unless `field` is absent or has the one value that a family computes. */
export function expectFieldValue(config: ConfigReader, field: string, value: unknown): void {
  if (config.has(field) && config.fields[field] !== value) throw unsupportedField(config, field, [value]);
}

function unsupportedField(config: ConfigReader, field: string, harmless: readonly unknown[]): ModelError {
  const expected = ['no value', ...harmless.map((value) => describeValue(value))].join(' or ');
  const found = describeValue(config.fields[field]);
  return new ModelError(
    'UNSUPPORTED_FIELD',
    `Expected ${expected} for config field ${config.path}${field} but found ${found}, which changes the model in a way that is not implemented. See docs/add-a-model.md`,
    { field: `${config.path}${field}`, found },
  );
}
