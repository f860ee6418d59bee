// Which metadata keys of an architecture are honoured, and which say nothing about the arithmetic. Another one might
// change what the model computes, so it is refused by name.

import type { Architecture } from './architecture.js';
import { GgufError, shown } from './gguf-error.js';
import type { Metadata } from './metadata.js';

/** Read by synthesizeConfig, or without effect. After the architecture's name. */
const KNOWN = new Set([
  'context_length',
  'embedding_length',
  'block_count',
  'feed_forward_length',
  'vocab_size',
  'tensor_data_layout',
  'attention.head_count',
  'attention.head_count_kv',
  'attention.key_length',
  'attention.value_length',
  'attention.layer_norm_rms_epsilon',
  'attention.sliding_window',
  'rope.freq_base',
  'rope.dimension_count',
  'rope.scale_linear',
  'rope.scaling.type',
  'rope.scaling.factor',
  'rope.scaling.original_context_length',
  'rope.scaling.finetuned',
  'expert_count',
  'expert_used_count',
  'expert_feed_forward_length',
  'expert_shared_feed_forward_length',
]);

/** Keys that change nothing when they have this value. */
const HARMLESS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['use_parallel_residual', false],
  ['attention.causal', true],
  ['attention.max_alibi_bias', 0],
  ['attention.clamp_kqv', 0],
  ['expert_weights_scale', 1],
  ['leading_dense_block_count', 0],
  ['expert_group_count', 0],
  ['logit_scale', 1],
  ['rope.scaling.attn_factor', 1],
  ['rope.scaling.yarn_attn_factor', 1],
  ['rope.scaling.yarn_ext_factor', 1],
  ['rope.scaling.yarn_beta_fast', 32],
  ['rope.scaling.yarn_beta_slow', 1],
]);

/** Architectures that honour a window. Elsewhere llama.cpp does not, so neither is guessed. */
const WINDOWED = ['llama'];

/** @throws GgufError `UNSUPPORTED_FIELD` */
export function refuseUnknownKeys(metadata: Metadata, { name }: Architecture): void {
  const prefix = `${name}.`;
  for (const key of metadata.keys()) {
    if (!key.startsWith(prefix)) continue;
    const field = key.slice(prefix.length);
    if (KNOWN.has(field) && (field !== 'attention.sliding_window' || WINDOWED.includes(name))) continue;
    const value = metadata.raw(key);
    const plain = typeof value === 'bigint' ? Number(value) : value;
    if (HARMLESS.has(field) && HARMLESS.get(field) === plain) continue;
    throw new GgufError(
      'UNSUPPORTED_FIELD',
      `Expected only metadata that is understood but the file has ${key} = ${shown(plain)}, which may change what the model computes.`,
      { fields: { key } },
    );
  }
}
