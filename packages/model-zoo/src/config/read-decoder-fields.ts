// Reads the fields that decoder configs share, under the names they have in each family. A family starts from these
// and says what is its own.

import type { DecoderFields } from '../decoder/compose-decoder.js';
import { readRopeConfig, readRopesByLayerType, type RopeDefaults } from '../rope/read-rope-config.js';
import { readActivation } from './activation.js';
import type { ConfigReader } from './config-reader.js';
import { LIMITS } from './limits.js';
import { refuseUnknownArithmetic, type ArithmeticField } from './refuse-unknown-arithmetic.js';

/** Names of the fields in most configs. */
const FIELD_NAMES = {
  hiddenSize: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  kvHeads: 'num_key_value_heads',
  headDim: 'head_dim',
  intermediateSize: 'intermediate_size',
  vocabSize: 'vocab_size',
  maxPositions: 'max_position_embeddings',
  normEps: 'rms_norm_eps',
  activation: 'hidden_act',
};

/** What the modeling code assumes for fields that a config leaves out. Sizes without a default here are required. */
export interface DecoderDefaults {
  readonly maxPositions: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  /** Absent: as many as heads. */
  readonly kvHeads?: number;
  /** Absent: hiddenSize / heads. */
  readonly headDim?: number;
  /** Absent: silu. */
  readonly activation?: string;
  readonly heads?: number;
  readonly vocabSize?: number;
  readonly intermediateSize?: number;
  /** Absent: false. */
  readonly tiedHead?: boolean;
  /** See {@link RopeDefaults}. */
  readonly partialRotaryFactor?: number;
  readonly ropeNames?: RopeDefaults['names'];
  /** Layers with a window have a rotary embedding of their own: its theta, and the older configs' field of it. */
  readonly slidingRope?: { readonly theta: number; readonly field?: string };
  /** Fields under other names than {@link FIELD_NAMES}. */
  readonly fields?: Partial<typeof FIELD_NAMES>;
  /** Fields the family computes itself, which are refused elsewhere. */
  readonly honours?: readonly ArithmeticField[];
}

/** Throws {@link ModelError} for values that are impossible or not understood. */
export function readDecoderFields(config: ConfigReader, defaults: DecoderDefaults): DecoderFields {
  refuseUnknownArithmetic(config, defaults.honours);
  const fields = { ...FIELD_NAMES, ...defaults.fields };
  const layers = config.integer(fields.layers, LIMITS.layers);
  const heads = config.integer(fields.heads, LIMITS.heads, defaults.heads);
  const hiddenSize = config.integer(fields.hiddenSize, LIMITS.hiddenSize);
  const headDim = readHeadDim(config, { fields, hiddenSize, heads, whenAbsent: defaults.headDim });
  const maxPositions = config.integer(fields.maxPositions, LIMITS.positions, defaults.maxPositions);
  const { ropeTheta: theta, partialRotaryFactor, ropeNames: names, slidingRope } = defaults;
  const ropeDefaults = { headDim, maxPositions, theta, partialRotaryFactor, names };
  const ropes = slidingRope
    ? readRopesByLayerType(config, { ...ropeDefaults, sliding: slidingRope })
    : { rope: readRopeConfig(config, ropeDefaults) };
  return {
    hiddenSize,
    layers,
    heads,
    kvHeads: readKvHeads(config, { fields, heads, whenAbsent: defaults.kvHeads }),
    headDim,
    intermediateSize: config.integer(
      fields.intermediateSize,
      LIMITS.intermediateSize,
      defaults.intermediateSize,
    ),
    vocabSize: config.integer(fields.vocabSize, LIMITS.vocabSize, defaults.vocabSize),
    normEps: config.number(fields.normEps, LIMITS.normEps, defaults.normEps),
    activation: readActivation(config, fields.activation, defaults.activation),
    ...ropes,
    tiedHead: config.boolean('tie_word_embeddings', defaults.tiedHead ?? false),
  };
}

interface HeadSizes {
  readonly fields: typeof FIELD_NAMES;
  readonly heads: number;
  readonly whenAbsent: number | undefined;
}

function readKvHeads(config: ConfigReader, { fields, heads, whenAbsent }: HeadSizes): number {
  const field = fields.kvHeads;
  const fallback = config.isNull(field) ? heads : (whenAbsent ?? heads);
  const kvHeads = config.integer(field, LIMITS.heads, fallback);
  if (heads % kvHeads === 0) return kvHeads;
  const assumed = config.has(field) ? '' : ` in place of the default ${fallback}`;
  throw config.invalid(field, `a divisor of ${fields.heads} (${heads})${assumed}`);
}

function readHeadDim(
  config: ConfigReader,
  { fields, hiddenSize, heads, whenAbsent }: HeadSizes & { hiddenSize: number },
): number {
  const field = fields.headDim;
  if (config.has(field)) return config.integer(field, LIMITS.headDim);
  if (whenAbsent !== undefined && !config.isNull(field)) return whenAbsent;
  const headDim = hiddenSize / heads;
  if (Number.isInteger(headDim) && headDim <= LIMITS.headDim.max) return headDim;
  throw config.invalid(fields.hiddenSize, `a multiple of ${fields.heads} (${heads}), or a ${field}`);
}
