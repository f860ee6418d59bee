// A mixture of experts as the feed-forward part of a layer.
//
//   x ─┬─ router ─ logits ┐
//      ├────────────── experts ──────────(+)─ out
//      └─ shared MLP ─ [⊙ sigmoid(gate)] ─┘

import type { Recorder, Tensor } from '@airllm/backend';
import type { LayerContext, RecordedPart } from '../decoder/decoder-config.js';
import { project, type LayerScope } from '../decoder/layer-scope.js';
import { recordMlp } from '../decoder/record-mlp.js';
import type { MixtureConfig, SharedExpertConfig } from './mixture-config.js';
import { recordExpert } from './record-expert.js';

/**
 * Routed experts, and a shared one where the config has it.
 *
 * @example
 * composeDecoder(fields, { feedForward: (layer, mlp) => (isDense(layer) ? mlp : new Mixture(config)) });
 */
export class Mixture implements RecordedPart {
  readonly kind = 'recorded';

  constructor(readonly config: MixtureConfig) {}

  /** [T, D] → [T, D]. */
  record(rec: Recorder, x: Tensor, { weights }: Pick<LayerContext, 'weights'>): Tensor {
    const { config } = this;
    const { experts, correctionBias, shared } = config;
    const logits = project(rec, x, weights.projection(config.router, [experts, x.cols], config.routerBias));
    // Before the experts: computed while those are read.
    const sharedOut = shared && recordShared(rec, x, { shared, weights });
    const out = rec.experts(x, logits, {
      routing: {
        ...config.routing,
        correctionBias: correctionBias === undefined ? undefined : weights.tensor(correctionBias, [experts]),
      },
      count: experts,
      record: (expertRec, input, expert) => recordExpert(expertRec, input, { config, weights, expert }),
    });
    if (sharedOut) rec.accumulate(out, sharedOut);
    return out;
  }
}

function recordShared(
  rec: Recorder,
  x: Tensor,
  { shared, weights }: { shared: SharedExpertConfig; weights: LayerScope },
): Tensor {
  const { stem, width, activation, gate } = shared;
  const names = { input: { gate: `${stem}.gate_proj`, up: `${stem}.up_proj` }, down: `${stem}.down_proj` };
  const out = recordMlp(rec, x, { mlp: { kind: 'mlp', width, activation, bias: false, names }, weights });
  return gate === undefined ? out : rec.sigmoidGate(out, rec.linear(x, weights.matrix(gate, 1, x.cols)));
}
