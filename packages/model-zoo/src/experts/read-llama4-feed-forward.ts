// The feed-forward parts of Llama 4: dense layers with a width of their own, and experts fused input-major whose
// inputs are multiplied by the sigmoid of their logits.

import type { ConfigReader } from '../config/config-reader.js';
import { expertRange, LIMITS } from '../config/limits.js';
import type { DecoderFields } from '../decoder/compose-decoder.js';
import type { FeedForward, MlpConfig } from '../decoder/decoder-config.js';
import { Mixture } from './mixture.js';
import { readLayerList } from './read-layer-list.js';

/** The feed-forward part of every layer, for {@link composeDecoder}. Throws {@link ModelError}. */
export function readLlama4FeedForward(
  config: ConfigReader,
  { layers, activation, intermediateSize: width }: DecoderFields,
): (layer: number, mlp: MlpConfig) => FeedForward {
  const experts = config.integer('num_local_experts', expertRange(layers), 16);
  const mixture = new Mixture({
    experts,
    width,
    gate: activation,
    router: 'feed_forward.router',
    routerBias: false,
    correctionBias: undefined,
    routing: {
      topK: config.integer('num_experts_per_tok', { min: 1, max: experts }, 1),
      scoring: 'sigmoid',
      normalizeTopK: false,
      scale: 1,
      groups: undefined,
      scaleInput: true,
    },
    layout: {
      kind: 'fused',
      gateUp: 'feed_forward.experts.gate_up_proj',
      down: 'feed_forward.experts.down_proj',
      inputMajor: true,
      biased: false,
    },
    shared: { stem: 'feed_forward.shared_expert', width, activation, gate: undefined },
  });
  const step = config.integer('interleave_moe_layer_step', LIMITS.layers, 1);
  const listed = readLayerList(config, 'moe_layers', layers);
  const isMixture = (layer: number): boolean => listed?.has(layer) ?? (layer + 1) % step === 0;
  const denseWidth = config.integer('intermediate_size_mlp', LIMITS.intermediateSize, 16_384);
  const names = {
    input: { gate: 'feed_forward.gate_proj', up: 'feed_forward.up_proj' },
    down: 'feed_forward.down_proj',
  };
  return (layer, mlp) => (isMixture(layer) ? mixture : { ...mlp, width: denseWidth, names });
}
