// A norm of the stream, of the kind the model uses.

import type { Recorder, Tensor } from '@airllm/backend';
import type { NormConfig } from './decoder-config.js';
import type { LayerScope } from './layer-scope.js';

export interface NormPlace {
  readonly norm: NormConfig;
  readonly weights: LayerScope;
  readonly stem: string;
  /** Default: a new tensor. */
  readonly out?: Tensor;
}

/** [T, D] → [T, D]. */
export function recordNorm(rec: Recorder, x: Tensor, { norm, weights, stem, out }: NormPlace): Tensor {
  const { kind, eps, weightOffset } = norm;
  const options = { weight: weights.vector(stem, x.cols), eps, ...(out && { out }) };
  if (kind === 'rms') return rec.rmsNorm(x, { ...options, weightOffset });
  return rec.layerNorm(x, { ...options, bias: norm.bias ? weights.bias(stem, x.cols) : undefined });
}
