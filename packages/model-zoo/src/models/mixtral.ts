// Mixtral: Mistral with routed experts. Softmax over the chosen experts' logits equals softmax over all,
// chosen, divided by their sum.
// Source: transformers, models/mixtral.

import { expertRange } from '../config/limits.js';
import { readDecoderConfig } from '../config/read-decoder-config.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { LLAMA_NAMES } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';

export const mixtral: Family = {
  name: 'mixtral',
  names: {
    ...LLAMA_NAMES,
    router: 'block_sparse_moe.gate',
    expert: {
      gate: 'block_sparse_moe.experts.{expert}.w1',
      up: 'block_sparse_moe.experts.{expert}.w3',
      down: 'block_sparse_moe.experts.{expert}.w2',
    },
  },
  parse(config) {
    const decoder = readDecoderConfig(config, {
      maxPositions: 131_072,
      normEps: 1e-5,
      ropeTheta: 1_000_000,
      kvHeads: 8,
    });
    const experts = config.integer('num_local_experts', expertRange(decoder.layers), 8);
    const topK = config.integer('num_experts_per_tok', { min: 1, max: experts }, Math.min(2, experts));
    const window = readWindow(config, undefined);
    return {
      ...decoder,
      slidingWindows: slidingWindows(config, { layers: decoder.layers, window, firstLayer: 0 }),
      moe: { experts, topK, normalizeTopK: true, intermediateSize: decoder.intermediateSize },
    };
  },
};
