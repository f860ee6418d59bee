// The feed-forward part of a dense layer, and one expert of most mixtures.

import type { Recorder, Tensor } from '@airllm/backend';
import type { MlpConfig } from './decoder-config.js';
import { project, type LayerScope } from './layer-scope.js';

/** [T, D] → [T, D]. `x` is not written to. */
export function recordMlp(
  rec: Recorder,
  x: Tensor,
  { mlp, weights }: { mlp: MlpConfig; weights: LayerScope },
): Tensor {
  const { width, activation, bias, names } = mlp;
  return project(rec, recordInner(), weights.projection(names.down, [x.cols, width], bias));

  /** [T, width] */
  function recordInner(): Tensor {
    const { input } = names;
    if ('plain' in input) return rec.activate(into(input.plain, width), activation);
    if ('gate' in input) return rec.glu(into(input.gate, width), into(input.up, width), activation);
    const both = into(input.fused, 2 * width);
    return rec.glu(both.columns(0, width), both.columns(width, width), activation);
  }

  function into(stem: string, rows: number): Tensor {
    return project(rec, x, weights.projection(stem, [rows, x.cols], bias));
  }
}
