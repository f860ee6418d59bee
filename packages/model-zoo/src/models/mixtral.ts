// Mixtral: Mistral with routed experts. Softmax over the chosen experts' logits equals softmax over all,
// chosen, divided by their sum.
// Source: transformers, models/mixtral.

import { expertRange } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { readWindow, slidingWindows } from '../config/sliding-windows.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { MlpConfig, RecordedPart } from '../decoder/decoder-config.js';
import { recordMlp } from '../decoder/record-mlp.js';
import type { Family } from '../family.js';

export const mixtral: Family = {
  name: 'mixtral',
  parse(config) {
    const fields = readDecoderFields(config, {
      maxPositions: 131_072,
      normEps: 1e-5,
      ropeTheta: 1_000_000,
      kvHeads: 8,
    });
    const count = config.integer('num_local_experts', expertRange(fields.layers), 8);
    const topK = config.integer('num_experts_per_tok', { min: 1, max: count }, Math.min(2, count));
    const window = readWindow(config, undefined);
    const windows = slidingWindows(config, { layers: fields.layers, window, firstLayer: 0 });
    return composeDecoder(fields, {
      mixer: (layer, attention) => ({ ...attention, window: windows[layer] }),
      feedForward: (_, mlp) => mixture(mlp, { count, topK }),
    });
  },
};

function mixture(mlp: MlpConfig, { count, topK }: { count: number; topK: number }): RecordedPart {
  const routing = {
    topK,
    scoring: 'none',
    normalizeTopK: false,
    scale: 1,
    correctionBias: undefined,
    groups: undefined,
    scaleInput: false,
  } as const;
  return {
    kind: 'recorded',
    record(rec, x, { weights }) {
      const logits = rec.linear(x, weights.matrix('block_sparse_moe.gate', count, x.cols));
      return rec.experts(x, logits, {
        routing,
        count,
        record(expertRec, input, expert) {
          const at = `block_sparse_moe.experts.${expert}.`;
          const names = { input: { gate: `${at}w1`, up: `${at}w3` }, down: `${at}w2` };
          return recordMlp(expertRec, input, { mlp: { ...mlp, names }, weights });
        },
      });
    },
  };
}
