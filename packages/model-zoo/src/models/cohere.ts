// Cohere's Command R (cohere) and Command R7B, A (cohere2): LayerNorm without bias, both parts reading the same normed
// stream, rotation of interleaved pairs, scaled logits. Cohere2 rotates only in its layers with a window.
// Source: transformers, models/cohere and models/cohere2.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder, type DecoderFields, type DecoderParts } from '../decoder/compose-decoder.js';
import type { QkNormConfig } from '../decoder/decoder-config.js';
import type { Family } from '../family.js';

export const cohere: Family = {
  name: 'cohere',
  parse(config) {
    const fields = readCohereFields(config, 500_000);
    const parts = cohereParts(config, fields);
    const qkNorm = config.boolean('use_qk_norm', false) ? perHeadNorm(fields.normEps) : undefined;
    return composeDecoder(fields, { ...parts, attention: { ...parts.attention, qkNorm } });
  },
};

export const cohere2: Family = {
  name: 'cohere2',
  parse(config) {
    const fields = readCohereFields(config, 10_000);
    const fullEvery = config.integer('sliding_window_pattern', LIMITS.layers, 4);
    const window = readWindow(config, 4096);
    const windows = slidingWindows(config, { layers: fields.layers, window, fullEvery });
    return composeDecoder(fields, {
      ...cohereParts(config, fields),
      mixer: (layer, attention) => ({
        ...attention,
        window: windows[layer],
        rope: windows[layer] === undefined ? undefined : 0,
      }),
    });
  },
};

function readCohereFields(config: ConfigReader, ropeTheta: number): DecoderFields {
  return readDecoderFields(config, {
    maxPositions: 8192,
    normEps: 1e-5,
    ropeTheta,
    tiedHead: true,
    fields: { normEps: 'layer_norm_eps' },
    honours: ['logit_scale', 'use_qk_norm'],
  });
}

function cohereParts(config: ConfigReader, { rope }: DecoderFields): DecoderParts {
  const bias = config.boolean('attention_bias', false);
  return {
    norm: { kind: 'layer' },
    norms: { beforeMixer: 'input_layernorm' },
    parallel: true,
    ropes: [{ ...rope, style: 'interleaved' }],
    logitScale: config.number('logit_scale', LIMITS.multiplier, 0.0625),
    attention: { biases: { qkv: bias, o: bias } },
  };
}

/** LayerNorm over every head of q and k, each head with a weight of its own (Command R+). */
function perHeadNorm(eps: number): QkNormConfig {
  return {
    kind: 'layer',
    eps,
    weightOffset: 0,
    bias: false,
    over: 'head',
    weight: 'own',
    when: 'before rope',
  };
}
