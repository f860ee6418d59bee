// gpt-oss: attention with sinks, every other layer windowed, and experts with biases and a clamped gate, all in two
// tensors per layer: input-major, or as MXFP4 blocks (the published checkpoints) output-major.
// Source: transformers, models/gpt_oss.

import { expertRange } from '../config/limits.js';
import { quantizationMethod } from '../config/quantization.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import { chosenSoftmaxRouting, type MixtureConfig } from '../experts/mixture-config.js';
import { Mixture } from '../experts/mixture.js';
import type { Family } from '../family.js';

/** What the reference computes whatever the config says. */
const GATE = { alpha: 1.702, limit: 7 };

const EXPERTS: Omit<MixtureConfig, 'experts' | 'width' | 'routing' | 'layout'> = {
  gate: GATE,
  router: 'mlp.router',
  routerBias: true,
  correctionBias: undefined,
  shared: undefined,
};

const EXPERT_LAYOUT = {
  kind: 'fused',
  gateUp: 'mlp.experts.gate_up_proj',
  down: 'mlp.experts.down_proj',
  biased: true,
} as const;

export const gptOss: Family = {
  name: 'gpt-oss',
  parse(config) {
    expectFieldValue(config, 'hidden_act', 'silu');
    expectFieldValue(config, 'swiglu_limit', GATE.limit);
    const hasRope = config.has('rope_parameters') || config.has('rope_scaling');
    if (!hasRope) throw config.invalid('rope_scaling', 'an object');
    const fields = readDecoderFields(config, {
      maxPositions: 131_072,
      normEps: 1e-5,
      ropeTheta: 150_000,
      kvHeads: 8,
      headDim: 64,
    });
    const { layers, intermediateSize: width } = fields;
    const bias = config.boolean('attention_bias', true);
    const window = readWindow(config, 128);
    const windows = config.has('layer_types')
      ? slidingWindows(config, { layers, window, firstLayer: 0 })
      : Array.from({ length: layers }, (_, layer) => (layer % 2 === 0 ? window : undefined));
    const experts = config.integer('num_local_experts', expertRange(layers));
    const topK = config.integer('num_experts_per_tok', { min: 1, max: experts });
    const mixture = new Mixture({
      ...EXPERTS,
      layout: { ...EXPERT_LAYOUT, inputMajor: quantizationMethod(config) !== 'mxfp4' },
      experts,
      width,
      routing: chosenSoftmaxRouting(topK),
    });
    return composeDecoder(fields, {
      attention: { biases: { qkv: bias, o: bias }, sinks: true },
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
      feedForward: () => mixture,
    });
  },
};
