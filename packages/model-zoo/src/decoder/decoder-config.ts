// A decoder as data, whatever its config.json calls things: a stream that parts of every layer add to. Families differ
// in these values; a part that no value here describes is recorded by a function of its own.

import type { Activation, CacheLayerShape, Recorder, Tensor } from '@airllm/backend';
import type { PassState } from '../definition.js';
import type { RopeConfig } from '../rope/rope-config.js';
import type { LayerScope } from './layer-scope.js';
import type { GateUpNames, ModelNames, NormNames, QkvNames } from './tensor-names.js';

/** Which norm a model uses, everywhere in the stream. */
export interface NormConfig {
  readonly kind: 'rms' | 'layer';
  readonly eps: number;
  /** 1 where the weight is stored minus one (Gemma). */
  readonly weightOffset: 0 | 1;
  /** LayerNorm only. */
  readonly bias: boolean;
}

/** A norm of queries and keys. */
export interface QkNormConfig extends NormConfig {
  /** Over every head or over the full width. */
  readonly over: 'head' | 'row';
  /** `shared` [headDim] for all heads, `own` [heads, headDim], `row` [heads · headDim], or none. */
  readonly weight: 'shared' | 'own' | 'row' | 'none';
  readonly when: 'before rope' | 'after rope';
}

/** Softmax attention with its projections. */
export interface AttentionConfig {
  readonly kind: 'attention';
  readonly heads: number;
  /** Heads of keys and values; divides `heads`. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly names: {
    readonly qkv: QkvNames;
    readonly o: string;
    readonly qNorm: string;
    readonly kNorm: string;
    readonly sinks: string;
  };
  readonly biases: { readonly qkv: boolean; readonly o: boolean };
  readonly qkNorm: QkNormConfig | undefined;
  /** Index into the decoder's `ropes`; undefined for no rotation. */
  readonly rope: number | undefined;
  /** Index into the decoder's `rowScales`, by which queries are multiplied. */
  readonly queryScale: number | undefined;
  readonly scale: number;
  /** Tokens that a row sees, or undefined for all. */
  readonly window: number | undefined;
  readonly chunk: number | undefined;
  readonly softcap: number | undefined;
  readonly sinks: boolean;
  readonly alibiSlopes: readonly number[] | undefined;
}

/** down(activation(gate(x)) ⊙ up(x)), or down(activation(up(x))) where `names.input` is one plain matrix. */
export interface MlpConfig {
  readonly kind: 'mlp';
  /** Width between the projections. */
  readonly width: number;
  readonly activation: Activation;
  readonly bias: boolean;
  readonly names: { readonly input: GateUpNames; readonly down: string };
}

/** What a recorded part may use beside its input. */
export interface LayerContext {
  readonly state: PassState;
  readonly layer: number;
  /** Names and shapes weights of this layer. */
  readonly weights: LayerScope;
}

/** A part of a layer recorded by a function: [T, hiddenSize] → [T, hiddenSize]. It must not write to `x`. */
export interface RecordedPart {
  readonly kind: 'recorded';
  record(rec: Recorder, x: Tensor, context: LayerContext): Tensor;
}

/** A recorded mixer says what it keeps of the past. */
export interface RecordedMixer extends RecordedPart {
  readonly cache: CacheLayerShape;
}

export type Mixer = AttentionConfig | RecordedMixer;
export type FeedForward = MlpConfig | RecordedPart;

/** Everything the shared decoder block needs to know. */
export interface DecoderConfig {
  readonly names: ModelNames;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  readonly norm: NormConfig;
  /** Which norms a layer has: before or after its parts, or both. */
  readonly norms: NormNames;
  /** The feed-forward part reads what the mixer reads, not what it has added to. */
  readonly parallel: boolean;
  readonly ropes: readonly RopeConfig[];
  /** See {@link ModelDefinition.rowScales}. */
  readonly rowScales: readonly ((position: number) => number)[];
  /** One per layer, both. */
  readonly mixers: readonly Mixer[];
  readonly feedForwards: readonly FeedForward[];
  /** Multiplies embeddings, and what a part adds to the stream, and logits; 1 for nothing. */
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitScale: number;
  readonly logitSoftcap: number | undefined;
  /** The output projection is the embedding matrix. */
  readonly tiedHead: boolean;
  /** Rows of the output projection are divided by their lengths. */
  readonly normalizedHead: boolean;
}
