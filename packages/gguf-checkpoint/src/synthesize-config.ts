// config.json of the Hugging Face checkpoint that a file was converted from, as far as it decides what is computed.

import type { StoredTensor } from '@airllm/checkpoint';
import type { Architecture } from './architecture.js';
import { refuseUnknownKeys } from './known-keys.js';
import { MAX_LAYERS, MAX_VOCAB_SIZE } from './limits.js';
import type { Metadata, Range } from './metadata.js';
import { readRopeScaling } from './read-rope-scaling.js';

export interface ConfigSource {
  readonly metadata: Metadata;
  readonly architecture: Architecture;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Divisors of the rotary frequencies, where the file has them. */
  readonly ropeFactors: readonly number[] | undefined;
}

const SIZE: Range = { min: 1, max: 2 ** 24 };
const HEADS: Range = { min: 1, max: 4096 };
const EXPERTS: Range = { min: 1, max: 2 ** 16 };

/** @throws GgufError `INVALID_METADATA`, `INVALID_TENSOR`, `UNSUPPORTED_FIELD` */
export function synthesizeConfig(source: ConfigSource): Record<string, unknown> {
  const { metadata, architecture, tensors } = source;
  refuseUnknownKeys(metadata, architecture);
  const key = (field: string): string => `${architecture.name}.${field}`;
  const integer = (field: string, range: Range, fallback?: number): number =>
    metadata.integer(key(field), range, fallback);

  const hiddenSize = integer('embedding_length', SIZE);
  const heads = integer('attention.head_count', HEADS);
  const headDim = integer('attention.key_length', SIZE, hiddenSize / heads);
  if (integer('attention.value_length', SIZE, headDim) !== headDim) {
    throw metadata.invalid(key('attention.value_length'), `the key_length ${headDim}`);
  }
  const maxPositions = integer('context_length', { min: 1, max: 2 ** 30 });
  const rotaryDim = integer('rope.dimension_count', { min: 2, max: headDim }, headDim);
  return {
    architectures: [architecture.className],
    model_type: architecture.modelType,
    hidden_size: hiddenSize,
    num_hidden_layers: integer('block_count', { min: 1, max: MAX_LAYERS }),
    num_attention_heads: heads,
    num_key_value_heads: integer('attention.head_count_kv', HEADS, heads),
    head_dim: headDim,
    intermediate_size: integer('feed_forward_length', SIZE),
    vocab_size: rowsOf(tensors, 'model.embed_tokens.weight') ?? readVocabSize(metadata, key('vocab_size')),
    max_position_embeddings: maxPositions,
    rms_norm_eps: metadata.number(key('attention.layer_norm_rms_epsilon'), { min: 0, max: 1 }),
    hidden_act: 'silu',
    rope_theta: metadata.number(key('rope.freq_base'), { min: 1.001, max: 1e15 }, 10_000),
    rope_scaling: readRopeScaling({
      metadata,
      prefix: key('rope'),
      maxPositions,
      factors: source.ropeFactors,
    }),
    ...(rotaryDim === headDim ? {} : { partial_rotary_factor: rotaryDim / headDim }),
    rope_interleave: architecture.ropeInterleaved,
    attention_bias: hasSome(tensors, /self_attn\.\w+\.bias$/),
    mlp_bias: hasSome(tensors, /mlp\.\w+\.bias$/),
    tie_word_embeddings: !tensors.has('lm_head.weight'),
    sliding_window: metadata.has(key('attention.sliding_window'))
      ? integer('attention.sliding_window', { min: 1, max: 2 ** 30 })
      : null,
    ...storedDtype(tensors),
    ...readExperts(source),
    ...architecture.fixed,
  };
}

function readVocabSize(metadata: Metadata, key: string): number {
  return metadata.integer(key, { min: 1, max: MAX_VOCAB_SIZE });
}

/** Widths stand in the tensors; which layers are sparse too. */
function readExperts({ metadata, architecture, tensors }: ConfigSource): Record<string, unknown> {
  if (!architecture.experts) return {};
  const { name, experts } = architecture;
  const count = metadata.integer(`${name}.expert_count`, EXPERTS);
  const used = metadata.integer(`${name}.expert_used_count`, { min: 1, max: count });
  const layers = metadata.integer(`${name}.block_count`, { min: 1, max: MAX_LAYERS });
  const indices = Array.from({ length: layers }, (_, layer) => layer);
  const isSparse = (layer: number): boolean => tensors.has(`model.layers.${layer}.${experts.router}.weight`);
  const firstSparse = indices.find(isSparse) ?? 0;
  const widthOf = (stem: string): number | undefined =>
    rowsOf(tensors, `model.layers.${firstSparse}.${stem.replace('{expert}', '0')}.weight`);
  const denseWidth = metadata.integer(`${name}.feed_forward_length`, SIZE);
  const width =
    widthOf(experts.gate) ?? metadata.integer(`${name}.expert_feed_forward_length`, SIZE, denseWidth);
  const common = { num_local_experts: count, num_experts_per_tok: used };
  if (name === 'llama') return { ...common, intermediate_size: width };
  return {
    ...common,
    num_experts: count,
    moe_intermediate_size: width,
    shared_expert_intermediate_size: widthOf('mlp.shared_expert.gate_proj'),
    mlp_only_layers: indices.filter((layer) => !isSparse(layer)),
  };
}

/** Of the matrices: vectors and routers stay in float32 whatever the others are. None where they are quantized. */
function storedDtype(tensors: ReadonlyMap<string, StoredTensor>): Record<string, unknown> {
  const names: Readonly<Record<string, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };
  const dtype = names[tensors.get('model.layers.0.self_attn.q_proj.weight')?.dtype ?? ''];
  return dtype === undefined ? {} : { dtype, torch_dtype: dtype };
}

/** In any layer: those that lack one are then missing a tensor. */
function hasSome(tensors: ReadonlyMap<string, StoredTensor>, name: RegExp): boolean {
  return [...tensors.keys()].some((key) => name.test(key));
}

function rowsOf(tensors: ReadonlyMap<string, StoredTensor>, name: string): number | undefined {
  return tensors.get(name)?.shape[0];
}
