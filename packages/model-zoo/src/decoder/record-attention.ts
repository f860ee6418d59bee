// Softmax attention with its projections:
//
//   x ─ q,k,v ─ [q,k norm] ─ [rope] ─ [q,k norm] ─ [scale q by position] ─ attention ─ o

import type { Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { RopeConfig } from '../rope/rope-config.js';
import type { AttentionConfig, LayerContext, QkNormConfig } from './decoder-config.js';
import { project, type LayerScope } from './layer-scope.js';

/** What attention needs to know of the decoder it belongs to. */
export interface AttentionContext extends LayerContext {
  readonly ropes: readonly RopeConfig[];
}

/** [T, D] → [T, D]. `x` is not written to. */
export function recordAttention(
  rec: Recorder,
  x: Tensor,
  { attention, context }: { attention: AttentionConfig; context: AttentionContext },
): Tensor {
  const { heads, kvHeads, headDim, scale, window, chunk, softcap, alibiSlopes, names } = attention;
  const { layer, weights, state } = context;
  const [q, k, v] = recordQkv(rec, x, { attention, weights });
  const { qkNorm } = attention;
  if (qkNorm?.when === 'before rope') normQueriesAndKeys();
  recordRope(rec, [q, k], { attention, context });
  if (qkNorm?.when === 'after rope') normQueriesAndKeys();
  if (attention.queryScale !== undefined) rec.scaleRows(q, at(state.rowScales, attention.queryScale));
  const sinks = attention.sinks ? weights.tensor(names.sinks, [heads]) : undefined;
  const options = { layer, heads, kvHeads, headDim, scale, window, chunk, softcap, sinks, alibiSlopes };
  const mixed = rec.attention(q, k, v, options);
  return project(rec, mixed, weights.projection(names.o, [x.cols, heads * headDim], attention.biases.o));

  function normQueriesAndKeys(): void {
    if (!qkNorm) return;
    recordHeadNorm(rec, q, { norm: qkNorm, stem: names.qNorm, headDim, weights });
    recordHeadNorm(rec, k, { norm: qkNorm, stem: names.kNorm, headDim, weights });
  }
}

/** q [T, heads · headDim], k and v [T, kvHeads · headDim]; `fused` ones are views of one tensor. */
function recordQkv(
  rec: Recorder,
  x: Tensor,
  { attention, weights }: { attention: AttentionConfig; weights: LayerScope },
): [q: Tensor, k: Tensor, v: Tensor] {
  const { heads, kvHeads, headDim, biases } = attention;
  const { qkv } = attention.names;
  const qWidth = heads * headDim;
  const kvWidth = kvHeads * headDim;
  const input = (stem: string, width: number): Tensor =>
    project(rec, x, weights.projection(stem, [width, x.cols], biases.qkv));
  if ('q' in qkv) return [input(qkv.q, qWidth), input(qkv.k, kvWidth), input(qkv.v, kvWidth)];
  if ('fused' in qkv) {
    const all = input(qkv.fused, qWidth + 2 * kvWidth);
    return [all.columns(0, qWidth), all.columns(qWidth, kvWidth), all.columns(qWidth + kvWidth, kvWidth)];
  }
  const all = input(qkv.grouped, qWidth + 2 * kvWidth);
  const queries = qWidth / kvHeads;
  const groupWidth = queries + 2 * headDim;
  return [
    rec.ungroup(all, { groupWidth, start: 0, count: queries }),
    rec.ungroup(all, { groupWidth, start: queries, count: headDim }),
    rec.ungroup(all, { groupWidth, start: queries + headDim, count: headDim }),
  ];
}

/** Rotates each of `tensors` in place, where the layer has a rotary embedding. */
export function recordRope(
  rec: Recorder,
  tensors: readonly Tensor[],
  {
    attention,
    context,
  }: {
    attention: Pick<AttentionConfig, 'rope' | 'headDim'>;
    context: Pick<AttentionContext, 'state' | 'ropes'>;
  },
): void {
  if (attention.rope === undefined) return;
  const { rotaryDim, style } = at(context.ropes, attention.rope);
  const { cos, sin } = at(context.state.rotary, attention.rope);
  for (const x of tensors) rec.rope(x, { cos, sin, headDim: attention.headDim, rotaryDim, style });
}

/** Norms queries or keys [T, heads · headDim] in place. */
export function recordHeadNorm(
  rec: Recorder,
  x: Tensor,
  options: { norm: QkNormConfig; stem: string; headDim: number; weights: LayerScope },
): Tensor {
  const { norm, headDim } = options;
  const groupWidth = norm.over === 'head' ? headDim : x.cols;
  const shared = { weight: headNormWeight(x.cols, options), groupWidth, eps: norm.eps, out: x };
  return norm.kind === 'rms'
    ? rec.rmsNorm(x, { ...shared, weightOffset: norm.weightOffset })
    : rec.layerNorm(x, shared);
}

function headNormWeight(
  width: number,
  options: { norm: QkNormConfig; stem: string; headDim: number; weights: LayerScope },
): WeightRef | undefined {
  const { norm, stem, headDim, weights } = options;
  switch (norm.weight) {
    case 'none':
      return undefined;
    case 'shared':
      return weights.vector(stem, headDim);
    case 'row':
      return weights.vector(stem, width);
    case 'own': {
      const { name } = weights.matrix(stem, width / headDim, headDim);
      return { name, shape: [width], source: { tensor: name, shape: [width / headDim, headDim], start: 0 } };
    }
  }
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined)
    throw new RangeError(`Expected an index below ${items.length} but received ${index}`);
  return item;
}
