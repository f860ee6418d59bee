// Mixtral: Mistral with routed experts in every layer, weighed by softmax over the chosen ones' logits.
// Source: transformers, models/mixtral.

import { expertRange } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import { chosenSoftmaxRouting, PLAIN_MIXTURE } from '../experts/mixture-config.js';
import { Mixture } from '../experts/mixture.js';
import type { Family } from '../family.js';

const NAMES = {
  router: 'block_sparse_moe.gate',
  layout: {
    kind: 'separate',
    gate: 'block_sparse_moe.experts.{expert}.w1',
    up: 'block_sparse_moe.experts.{expert}.w3',
    down: 'block_sparse_moe.experts.{expert}.w2',
  },
} as const;

export const mixtral: Family = {
  name: 'mixtral',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 131_072,
      normEps: 1e-5,
      ropeTheta: 1_000_000,
      kvHeads: 8,
    });
    const experts = config.integer('num_local_experts', expertRange(fields.layers), 8);
    const topK = config.integer('num_experts_per_tok', { min: 1, max: experts }, Math.min(2, experts));
    const window = readWindow(config, undefined);
    const windows = slidingWindows(config, { layers: fields.layers, window, firstLayer: 0 });
    const mixture = new Mixture({
      ...PLAIN_MIXTURE,
      ...NAMES,
      experts,
      width: fields.intermediateSize,
      gate: fields.activation,
      routing: chosenSoftmaxRouting(topK),
    });
    return composeDecoder(fields, {
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
      feedForward: () => mixture,
    });
  },
};
