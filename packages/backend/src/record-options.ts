// The options of recorded ops; what they mean stands with the commands.

import type { Recorder } from './recorder.js';
import type { RoutingRule } from './experts.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

export interface NormOptions {
  weight?: WeightRef | undefined;
  eps: number;
  /** Default: the length of `weight`, or all columns. */
  groupWidth?: number;
  /** Default: a new tensor; `x` for in place. */
  out?: Tensor;
}

export interface RmsNormOptions extends NormOptions {
  /** Default 0. */
  weightOffset?: 0 | 1;
}

export interface LayerNormOptions extends NormOptions {
  bias?: WeightRef | undefined;
}

export interface LinearOptions {
  bias?: WeightRef | undefined;
  /** Default false. */
  normalizeRows?: boolean;
}

export interface RopeOptions {
  cos: Tensor;
  sin: Tensor;
  headDim: number;
  /** Default 0. */
  rotaryStart?: number;
  rotaryDim: number;
  style: 'half' | 'interleaved';
}

export interface AttentionOptions {
  layer: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  scale: number;
  window?: number | undefined;
  chunk?: number | undefined;
  softcap?: number | undefined;
  sinks?: WeightRef | undefined;
  alibiSlopes?: readonly number[] | undefined;
}

export interface LatentAttentionOptions {
  layer: number;
  /** [heads · (nopeDim + valueDim), rank], `whole`. */
  kvB: WeightRef;
  heads: number;
  rank: number;
  nopeDim: number;
  ropeDim: number;
  valueDim: number;
  scale: number;
}

export interface GatedDeltaInputs {
  q: Tensor;
  k: Tensor;
  v: Tensor;
  a: Tensor;
  b: Tensor;
}

export interface GatedDeltaOptions {
  layer: number;
  aLog: WeightRef;
  dtBias: WeightRef;
  keyHeads: number;
  valueHeads: number;
  keyDim: number;
  valueDim: number;
}

export interface ExpertsOptions {
  routing: RoutingRule;
  /** Number of experts. */
  count: number;
  /**
   * Records one expert: [T, D] → [T, D]. Called for the experts that rows choose, any number of times; must make
   * the same tensors in the same order for each, since they share memory.
   */
  record: (rec: Recorder, x: Tensor, expert: number) => Tensor;
}
