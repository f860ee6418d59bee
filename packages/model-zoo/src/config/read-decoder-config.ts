// Reads the fields that transformers' decoder configs share. A family starts from this and overrides what is
// its own.

import type { DecoderConfig } from '../decoder/decoder-config.js';
import { readRopeConfig } from '../rope/read-rope-config.js';
import { readActivation } from './activation.js';
import type { ConfigReader } from './config-reader.js';
import { LIMITS } from './limits.js';
import { refuseUnknownArithmetic } from './refuse-unknown-arithmetic.js';

/** What transformers assumes for fields that a config leaves out. Sizes are always written, so they are required. */
export interface DecoderDefaults {
  readonly maxPositions: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  /** Absent: as many as heads. */
  readonly kvHeads?: number;
  /** Absent: hiddenSize / heads. */
  readonly headDim?: number;
}

/**
 * A decoder without biases, query and key norms, windows and experts. Throws {@link ModelError} for values that
 * are impossible or not understood.
 */
export function readDecoderConfig(config: ConfigReader, defaults: DecoderDefaults): DecoderConfig {
  refuseUnknownArithmetic(config);
  const layers = config.integer('num_hidden_layers', LIMITS.layers);
  const heads = config.integer('num_attention_heads', LIMITS.heads);
  const hiddenSize = config.integer('hidden_size', LIMITS.hiddenSize);
  const headDim = readHeadDim(config, { hiddenSize, heads, whenAbsent: defaults.headDim });
  const maxPositions = config.integer('max_position_embeddings', LIMITS.positions, defaults.maxPositions);
  return {
    hiddenSize,
    layers,
    heads,
    kvHeads: readKvHeads(config, heads, defaults.kvHeads),
    headDim,
    intermediateSize: config.integer('intermediate_size', LIMITS.intermediateSize),
    vocabSize: config.integer('vocab_size', LIMITS.vocabSize),
    maxPositions,
    normEps: config.number('rms_norm_eps', LIMITS.normEps, defaults.normEps),
    activation: readActivation(config),
    rope: readRopeConfig(config, { headDim, maxPositions, theta: defaults.ropeTheta }),
    slidingWindows: Array.from({ length: layers }, () => undefined),
    biases: { qkv: false, o: false, mlp: false },
    qkNorm: false,
    tiedHead: config.boolean('tie_word_embeddings', false),
    moe: undefined,
  };
}

function readKvHeads(config: ConfigReader, heads: number, whenAbsent: number | undefined): number {
  const field = 'num_key_value_heads';
  const fallback = config.isNull(field) ? heads : (whenAbsent ?? heads);
  const kvHeads = config.integer(field, LIMITS.heads, fallback);
  if (heads % kvHeads === 0) return kvHeads;
  const assumed = config.has(field) ? '' : ` in place of the default ${fallback}`;
  throw config.invalid(field, `a divisor of num_attention_heads (${heads})${assumed}`);
}

function readHeadDim(
  config: ConfigReader,
  { hiddenSize, heads, whenAbsent }: { hiddenSize: number; heads: number; whenAbsent: number | undefined },
): number {
  if (config.has('head_dim')) return config.integer('head_dim', LIMITS.headDim);
  if (whenAbsent !== undefined && !config.isNull('head_dim')) return whenAbsent;
  const headDim = hiddenSize / heads;
  if (Number.isInteger(headDim) && headDim <= LIMITS.headDim.max) return headDim;
  throw config.invalid('hidden_size', `a multiple of num_attention_heads (${heads}), or a head_dim`);
}
