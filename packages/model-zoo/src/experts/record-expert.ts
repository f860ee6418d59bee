// One routed expert's ops, for each way that checkpoints store experts. Every expert makes the same tensors in the
// same order, since they share memory.

import type { Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { LayerScope } from '../decoder/layer-scope.js';
import { recordMlp } from '../decoder/record-mlp.js';
import type { ExpertLayout, MixtureConfig } from './mixture-config.js';

type FusedLayout = Extract<ExpertLayout, { kind: 'fused' }>;

export interface ExpertOptions {
  readonly config: MixtureConfig;
  readonly weights: LayerScope;
  readonly expert: number;
}

/** [T, D] → [T, D]. */
export function recordExpert(rec: Recorder, x: Tensor, { config, weights, expert }: ExpertOptions): Tensor {
  const { layout, gate, width, experts } = config;
  if (layout.kind === 'fused') {
    const linear = fusedLinear(layout, { weights, expert, experts });
    const both = linear(rec, x, layout.gateUp, 2 * width);
    const inner =
      typeof gate === 'string'
        ? rec.glu(both.columns(0, width), both.columns(width, width), gate)
        : rec.clampedGlu(both, gate);
    return linear(rec, inner, layout.down, x.cols);
  }
  if (typeof gate !== 'string') throw new RangeError('Expected a clamped gate only beside fused experts');
  const of = (stem: string): string => stem.replace('{expert}', String(expert));
  const names = { input: { gate: of(layout.gate), up: of(layout.up) }, down: of(layout.down) };
  return recordMlp(rec, x, { mlp: { kind: 'mlp', width, activation: gate, bias: false, names }, weights });
}

/** A linear op whose weight is this expert's part of a tensor: [T, in] → [T, out]. */
function fusedLinear(
  { inputMajor, biased }: FusedLayout,
  { weights, expert, experts }: { weights: LayerScope; expert: number; experts: number },
) {
  return (rec: Recorder, x: Tensor, name: string, out: number): Tensor => {
    const bias = biased ? part(`${name}_bias`, [out]) : undefined;
    return inputMajor
      ? rec.linearTransposed(x, part(name, [x.cols, out]), { bias })
      : rec.linear(x, part(name, [out, x.cols]), { bias });
  };

  /** Part `expert` of a stored [experts, …shape]. */
  function part(name: string, shape: readonly number[]): WeightRef {
    const stored = weights.tensor(name, [experts, ...shape]);
    const start = expert * shape.reduce((a, b) => a * b, 1);
    return {
      name: `${stored.name}[${expert}]`,
      shape,
      source: { tensor: stored.name, shape: stored.shape, start },
    };
  }
}
