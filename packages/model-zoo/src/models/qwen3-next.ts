// Qwen3-Next and Qwen3.5, the text part: gated delta nets, gated attention in every fourth layer, norms whose weights
// are stored minus one, and experts in all layers or (Qwen3.5) none.
// Source: transformers, models/qwen3_next, qwen3_5 and qwen3_5_moe.

import type { ConfigReader } from '../config/config-reader.js';
import { readDecoderFields, type DecoderDefaults } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder, type DecoderFields, type DecoderParts } from '../decoder/compose-decoder.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import type { GatedDeltaNetConfig } from '../delta/gated-delta-net-config.js';
import { readHybridMixers } from '../delta/read-hybrid-mixers.js';
import { FUSED_LAYOUT, PLAIN_MIXTURE, type ExpertLayout } from '../experts/mixture-config.js';
import { readQwenMixture } from '../experts/read-qwen-mixture.js';
import type { Family } from '../family.js';

export const qwen3Next: Family = {
  name: 'qwen3-next',
  parse: (config) =>
    parseHybrid(config, {
      inputs: 'grouped',
      feedForward: (fields) =>
        readQwenMixture(config, fields, { normalizeTopK: true, hasSharedExpert: true }),
    }),
};

export const qwen35: Family = {
  name: 'qwen3.5',
  parse: (config) => parseHybrid(config, { inputs: 'apart' }),
};

/** As transformers saves it: one tensor per expert and matrix. */
export const qwen35Moe = qwen35MoeIn(PLAIN_MIXTURE.layout);

/** As the multimodal checkpoints are published: one tensor for all experts. */
export const qwen35MoeFused = qwen35MoeIn(FUSED_LAYOUT);

function qwen35MoeIn(published: ExpertLayout): Family {
  return {
    name: 'qwen3.5-moe',
    parse(config, hints) {
      const options = { normalizeTopK: true, hasSharedExpert: true, published, hints };
      expectFieldValue(config, 'norm_topk_prob', true);
      return parseHybrid(config, {
        inputs: 'apart',
        // There is no dense layer, so no width of one.
        fields: { intermediateSize: 'moe_intermediate_size' },
        feedForward: (fields) => readQwenMixture(config, fields, options),
      });
    },
  };
}

interface Hybrid {
  readonly inputs: GatedDeltaNetConfig['inputs'];
  readonly fields?: DecoderDefaults['fields'];
  readonly feedForward?: (fields: DecoderFields) => NonNullable<DecoderParts['feedForward']>;
}

function parseHybrid(config: ConfigReader, hybrid: Hybrid): DecoderConfig {
  const fields = readDecoderFields(config, {
    maxPositions: 32_768,
    normEps: 1e-6,
    ropeTheta: 10_000,
    kvHeads: hybrid.inputs === 'grouped' ? 2 : 4,
    headDim: 256,
    partialRotaryFactor: 0.25,
    ...(hybrid.fields && { fields: hybrid.fields }),
  });
  return composeDecoder(fields, {
    norm: { weightOffset: 1 },
    mixer: readHybridMixers(config, fields, hybrid.inputs),
    ...(hybrid.feedForward && { feedForward: hybrid.feedForward(fields) }),
  });
}
