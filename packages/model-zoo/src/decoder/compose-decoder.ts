// Puts a decoder together from the fields that most configs have and the parts that are a family's own.

import { contextLength } from '../rope/context-length.js';
import type { RopeConfig } from '../rope/rope-config.js';
import type { Activation } from '@airllm/backend';
import type {
  AttentionConfig,
  DecoderConfig,
  FeedForward,
  MlpConfig,
  Mixer,
  QkNormConfig,
} from './decoder-config.js';
import { ATTENTION_NAMES, MLP_NAMES, MODEL_NAMES, NORM_NAMES } from './tensor-names.js';

/** What {@link readDecoderFields} reads. */
export interface DecoderFields {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly normEps: number;
  readonly activation: Activation;
  readonly rope: RopeConfig;
  /** Of layers with a window, where it is another one; the second of the decoder's `ropes` then. */
  readonly slidingRope?: RopeConfig;
  readonly tiedHead: boolean;
}

/** What a family says beyond the common fields. */
export interface DecoderParts extends Partial<Omit<DecoderConfig, 'mixers' | 'feedForwards' | 'norm'>> {
  readonly norm?: Partial<DecoderConfig['norm']>;
  /** Of every layer; what is left out is Llama's. */
  readonly attention?: Partial<Omit<AttentionConfig, 'names'>> & {
    names?: Partial<AttentionConfig['names']>;
  };
  readonly mlp?: Partial<MlpConfig>;
  /** The mixer of one layer, from the attention of every layer. Default: that attention. */
  readonly mixer?: (layer: number, attention: AttentionConfig) => Mixer;
  /** The feed-forward part of one layer, from the MLP of every layer. Default: that MLP. */
  readonly feedForward?: (layer: number, mlp: MlpConfig) => FeedForward;
}

/**
 * Llama with what `parts` changes.
 *
 * @example
 * composeDecoder(fields, { mixer: (layer, attention) => ({ ...attention, window: windows[layer] }) });
 */
export function composeDecoder(fields: DecoderFields, parts: DecoderParts = {}): DecoderConfig {
  const { norm, attention: ownAttention, mlp: ownMlp, mixer, feedForward, ...rest } = parts;
  const attention: AttentionConfig = {
    kind: 'attention',
    heads: fields.heads,
    kvHeads: fields.kvHeads,
    headDim: fields.headDim,
    biases: { qkv: false, o: false },
    qkNorm: undefined,
    rope: 0,
    queryScale: undefined,
    scale: (ownAttention?.headDim ?? fields.headDim) ** -0.5,
    window: undefined,
    chunk: undefined,
    softcap: undefined,
    sinks: false,
    alibiSlopes: undefined,
    ...ownAttention,
    names: { ...ATTENTION_NAMES, ...ownAttention?.names },
  };
  const mlp: MlpConfig = {
    kind: 'mlp',
    width: fields.intermediateSize,
    activation: fields.activation,
    bias: false,
    names: MLP_NAMES,
    ...ownMlp,
  };
  const layers = Array.from({ length: fields.layers }, (_, layer) => layer);
  return {
    names: MODEL_NAMES,
    hiddenSize: fields.hiddenSize,
    vocabSize: fields.vocabSize,
    maxPositions: contextLength(fields.rope),
    norms: NORM_NAMES,
    parallel: false,
    ropes: fields.slidingRope ? [fields.rope, fields.slidingRope] : [fields.rope],
    rowScales: [],
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    logitSoftcap: undefined,
    tiedHead: fields.tiedHead,
    normalizedHead: false,
    ...rest,
    norm: { kind: 'rms', eps: fields.normEps, weightOffset: 0, bias: false, ...norm },
    mixers: layers.map((layer) => mixer?.(layer, attention) ?? attention),
    feedForwards: layers.map((layer) => feedForward?.(layer, mlp) ?? mlp),
  };
}

/** RMSNorm over every head of q and k, before rope, with one weight for all heads (Qwen3, Gemma 3). */
export function headNorm(eps: number, weightOffset: 0 | 1 = 0): QkNormConfig {
  return {
    kind: 'rms',
    eps,
    weightOffset,
    bias: false,
    over: 'head',
    weight: 'shared',
    when: 'before rope',
  };
}
