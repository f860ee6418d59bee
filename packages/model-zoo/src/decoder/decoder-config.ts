// A decoder's config in one form, whatever its config.json calls things. Families differ in these values.

import type { Activation } from '@airllm/backend';
import type { RopeConfig } from '../rope/rope-config.js';

/** Which projections add a bias. */
export interface Biases {
  readonly qkv: boolean;
  /** Attention output. */
  readonly o: boolean;
  /** Gate, up and down. */
  readonly mlp: boolean;
}

/** Routed experts in place of the MLP, in every layer. */
export interface MoeConfig {
  readonly experts: number;
  /** Experts per token. */
  readonly topK: number;
  /** Divide the probabilities of the chosen experts by their sum. */
  readonly normalizeTopK: boolean;
  /** Width of one expert. */
  readonly intermediateSize: number;
}

/** Everything the shared decoder block needs to know. */
export interface DecoderConfig {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; divides `heads`. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** As written in the config, before rope scaling. */
  readonly maxPositions: number;
  readonly normEps: number;
  readonly activation: Activation;
  readonly rope: RopeConfig;
  /** Per layer: tokens that attention sees, or undefined for all. */
  readonly slidingWindows: readonly (number | undefined)[];
  readonly biases: Biases;
  /** RMSNorm over every head of q and k, before rope. */
  readonly qkNorm: boolean;
  /** The output projection is the embedding matrix. */
  readonly tiedHead: boolean;
  readonly moe: MoeConfig | undefined;
}
