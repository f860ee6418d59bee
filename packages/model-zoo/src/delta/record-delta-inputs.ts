// The projections into a gated delta net, in both layouts that checkpoints have.

import type { Recorder, Tensor } from '@airllm/backend';
import type { LayerScope } from '../decoder/layer-scope.js';
import { convChannels, type GatedDeltaNetConfig } from './gated-delta-net-config.js';

export interface DeltaInputs {
  /** [T, q | k | v], each by head. */
  readonly qkv: Tensor;
  /** [T, valueHeads · valueDim] */
  readonly z: Tensor;
  /** [T, valueHeads] each. */
  readonly a: Tensor;
  readonly b: Tensor;
}

interface InputOptions {
  readonly config: GatedDeltaNetConfig;
  readonly weights: LayerScope;
}

export function recordDeltaInputs(rec: Recorder, x: Tensor, options: InputOptions): DeltaInputs {
  if (options.config.inputs === 'grouped') return recordGrouped(rec, x, options);
  const { config, weights } = options;
  const { valueHeads, valueDim } = config;
  const input = (stem: string, rows: number): Tensor =>
    rec.linear(x, weights.matrix(`linear_attn.${stem}`, rows, x.cols));
  return {
    qkv: input('in_proj_qkv', convChannels(config)),
    z: input('in_proj_z', valueHeads * valueDim),
    a: input('in_proj_a', valueHeads),
    b: input('in_proj_b', valueHeads),
  };
}

/** The rows of one matrix are, per key head: its q, its k, the v of its value heads, their z; of the other: b, a. */
function recordGrouped(rec: Recorder, x: Tensor, { config, weights }: InputOptions): DeltaInputs {
  const { keyHeads, valueHeads, keyDim, valueDim } = config;
  const share = valueHeads / keyHeads;
  const valueWidth = share * valueDim;
  const groupWidth = 2 * keyDim + 2 * valueWidth;
  const all = rec.linear(x, weights.matrix('linear_attn.in_proj_qkvz', keyHeads * groupWidth, x.cols));
  const ba = rec.linear(x, weights.matrix('linear_attn.in_proj_ba', 2 * valueHeads, x.cols));
  const parts = [
    rec.ungroup(all, { groupWidth, start: 0, count: keyDim }),
    rec.ungroup(all, { groupWidth, start: keyDim, count: keyDim }),
    rec.ungroup(all, { groupWidth, start: 2 * keyDim, count: valueWidth }),
  ];
  const z = rec.ungroup(all, { groupWidth, start: 2 * keyDim + valueWidth, count: valueWidth });
  return {
    qkv: recordSideBySide(rec, parts, all),
    z,
    b: rec.ungroup(ba, { groupWidth: 2 * share, start: 0, count: share }),
    a: rec.ungroup(ba, { groupWidth: 2 * share, start: share, count: share }),
  };
}

/** `parts` beside each other, in the first columns of `space`, whose values are no longer needed. */
function recordSideBySide(rec: Recorder, parts: readonly Tensor[], space: Tensor): Tensor {
  const width = parts.reduce((sum, { cols }) => sum + cols, 0);
  const out = space.columns(0, width);
  rec.scale(out, 0);
  let start = 0;
  for (const part of parts) {
    rec.accumulate(out.columns(start, part.cols), part);
    start += part.cols;
  }
  return out;
}
