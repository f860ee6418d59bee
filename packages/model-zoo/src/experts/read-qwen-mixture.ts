// The experts of Qwen's mixtures, from Qwen1.5-MoE to Qwen3.5: one set of config fields, with or without a shared
// expert, in all layers or in every so many.

import type { ConfigReader } from '../config/config-reader.js';
import { expertRange, LIMITS } from '../config/limits.js';
import type { DecoderFields } from '../decoder/compose-decoder.js';
import type { FeedForward, MlpConfig } from '../decoder/decoder-config.js';
import type { CheckpointHints } from '../family.js';
import { findLayout } from './find-layout.js';
import {
  PLAIN_MIXTURE,
  softmaxRouting,
  type ExpertLayout,
  type SharedExpertConfig,
} from './mixture-config.js';
import { Mixture } from './mixture.js';
import { readLayerList } from './read-layer-list.js';

export interface QwenMixtureOptions {
  /** Divide the weights of the chosen experts by their sum, when the config does not say. */
  readonly normalizeTopK: boolean;
  /** A shared expert behind a sigmoid gate. */
  readonly hasSharedExpert: boolean;
  /** How the architecture's experts are published. Default: one tensor per expert and matrix. */
  readonly published?: ExpertLayout;
  /** May show that a checkpoint has them in another way. */
  readonly hints?: CheckpointHints | undefined;
}

/** The feed-forward part of every layer, for {@link composeDecoder}. Throws {@link ModelError}. */
export function readQwenMixture(
  config: ConfigReader,
  { layers, activation, hiddenSize }: DecoderFields,
  options: QwenMixtureOptions,
): (layer: number, mlp: MlpConfig) => FeedForward {
  // transformers 5 writes Qwen3-MoE's under the other name.
  const countField = config.has('num_local_experts') ? 'num_local_experts' : 'num_experts';
  const experts = config.integer(countField, expertRange(layers));
  const topK = config.integer('num_experts_per_tok', { min: 1, max: experts });
  const width = config.integer('moe_intermediate_size', LIMITS.intermediateSize);
  const { published = PLAIN_MIXTURE.layout, hints = {} } = options;
  const mixture = new Mixture({
    ...PLAIN_MIXTURE,
    experts,
    width,
    gate: activation,
    routing: softmaxRouting(topK, config.boolean('norm_topk_prob', options.normalizeTopK)),
    layout: findLayout(hints, { published, hiddenSize, width }),
    shared: options.hasSharedExpert ? readSharedExpert(config, activation) : undefined,
  });
  const dense = readLayerList(config, 'mlp_only_layers', layers);
  const step = config.integer('decoder_sparse_step', LIMITS.layers, 1);
  return (layer, mlp) => (dense?.has(layer) || (layer + 1) % step !== 0 ? mlp : mixture);
}

function readSharedExpert(
  config: ConfigReader,
  activation: SharedExpertConfig['activation'],
): SharedExpertConfig {
  return {
    stem: 'mlp.shared_expert',
    width: config.integer('shared_expert_intermediate_size', LIMITS.intermediateSize),
    activation,
    gate: 'mlp.shared_expert_gate',
  };
}
