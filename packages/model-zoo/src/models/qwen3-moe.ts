// Qwen3-MoE: Qwen3 with routed experts, except in layers that stay dense. Qwen3-VL's are one input-major tensor for all.
// Source: transformers, models/qwen3_moe and qwen3_vl_moe.

import type { ConfigReader } from '../config/config-reader.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder, headNorm } from '../decoder/compose-decoder.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import { FUSED_LAYOUT, PLAIN_MIXTURE, type ExpertLayout } from '../experts/mixture-config.js';
import { readQwenMixture } from '../experts/read-qwen-mixture.js';
import type { CheckpointHints, Family } from '../family.js';

export const qwen3Moe = qwen3MoeIn(PLAIN_MIXTURE.layout);

/** The text part of Qwen3-VL. */
export const qwen3VlMoe = qwen3MoeIn({ ...FUSED_LAYOUT, inputMajor: true });

function qwen3MoeIn(published: ExpertLayout): Family {
  return { name: 'qwen3-moe', parse: (config, hints) => parse(config, { published, hints }) };
}

function parse(
  config: ConfigReader,
  { published, hints }: { published: ExpertLayout; hints: CheckpointHints | undefined },
): DecoderConfig {
  const fields = readDecoderFields(config, {
    maxPositions: 32_768,
    normEps: 1e-6,
    ropeTheta: 10_000,
    kvHeads: 4,
    honours: ['use_qk_norm'],
  });
  expectFieldValue(config, 'use_qk_norm', true);
  const bias = config.boolean('attention_bias', false);
  const window = config.boolean('use_sliding_window', false) ? readWindow(config, 4096) : undefined;
  const windows = slidingWindows(config, { layers: fields.layers, window, firstLayer: 0 });
  return composeDecoder(fields, {
    attention: { biases: { qkv: bias, o: bias }, qkNorm: headNorm(fields.normEps) },
    mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
    feedForward: readQwenMixture(config, fields, {
      normalizeTopK: false,
      hasSharedExpert: false,
      published,
      hints,
    }),
  });
}
