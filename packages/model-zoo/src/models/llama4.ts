// Llama 4, the text part. Most layers attend within chunks, with rotation; the others to everything, without rotation
// and with queries scaled by position. Experts stand beside a shared one, in some or all layers.
// Source: transformers, models/llama4.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder, headNorm } from '../decoder/compose-decoder.js';
import { readLlama4FeedForward } from '../experts/read-llama4-feed-forward.js';
import type { Family } from '../family.js';

export const llama4: Family = {
  name: 'llama4',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 131_072,
      normEps: 1e-5,
      ropeTheta: 500_000,
      kvHeads: 8,
      headDim: 128,
      honours: ['attention_chunk_size', 'no_rope_layers', 'use_qk_norm'],
    });
    const rotates = readRotatingLayers(config, fields.layers);
    const chunks = readChunks(config, rotates);
    const bias = config.boolean('attention_bias', false);
    const norm = config.boolean('use_qk_norm', true);
    const qkNorm = { ...headNorm(fields.normEps), weight: 'none', when: 'after rope' } as const;
    const temperature = readTemperature(config);
    return composeDecoder(fields, {
      ropes: [{ ...fields.rope, style: 'interleaved' }],
      rowScales: temperature ? [temperature] : [],
      attention: { biases: { qkv: bias, o: bias } },
      mixer: (layer, attention) => ({
        ...attention,
        chunk: chunks[layer],
        rope: rotates[layer] ? 0 : undefined,
        qkNorm: norm && rotates[layer] ? qkNorm : undefined,
        queryScale: temperature && !rotates[layer] ? 0 : undefined,
      }),
      feedForward: readLlama4FeedForward(config, fields),
    });
  },
};

/** `no_rope_layers` holds a 1 for layers that rotate, whatever its name says. */
function readRotatingLayers(config: ConfigReader, layers: number): boolean[] {
  const { no_rope_layers: listed } = config.fields;
  if (config.has('no_rope_layers') && !(Array.isArray(listed) && listed.length === 0)) {
    return config.numbers('no_rope_layers', layers, { min: 0, max: 1 }).map((flag) => flag !== 0);
  }
  const interval = config.integer('no_rope_layer_interval', LIMITS.layers, 4);
  return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
}

/** Tokens per chunk, or undefined for layers that attend to everything. */
function readChunks(config: ConfigReader, rotates: readonly boolean[]): (number | undefined)[] {
  const chunk = config.isNull('attention_chunk_size')
    ? undefined
    : config.integer('attention_chunk_size', LIMITS.positions, 8192);
  if (!config.has('layer_types')) return rotates.map((rotating) => (rotating ? chunk : undefined));
  const types = config.fields['layer_types'];
  const known: unknown[] = ['chunked_attention', 'full_attention'];
  if (
    Array.isArray(types) &&
    types.length === rotates.length &&
    types.every((type) => known.includes(type))
  ) {
    return types.map((type) => (type === 'chunked_attention' ? chunk : undefined));
  }
  throw config.invalid('layer_types', `a list of ${rotates.length} times ${known.join(' or ')}`);
}

/** arXiv 2501.19399: 1 + attn_scale · ln(1 + ⌊(position + 1) / floor_scale⌋). */
function readTemperature(config: ConfigReader): ((position: number) => number) | undefined {
  // Early configs hold a number in place of true.
  const enabled = config.fields['attn_temperature_tuning'] ?? true;
  if (enabled === false || enabled === 0) return undefined;
  const floor = config.integer('floor_scale', LIMITS.positions, 8192);
  const scale = config.number('attn_scale', { min: 0, max: 1e6 }, 0.1);
  return (position) => 1 + scale * Math.log1p(Math.floor((position + 1) / floor));
}
