// Multi-head latent attention as the mixer of a layer: queries from a compressed vector or directly, keys and values
// from a latent per token, which is all that is kept of the past.
//
//   x ─ [q_a ─ norm ─] q_b ─ rope on the last ropeDim of each head ───────────┐
//   x ─ kv_a ─┬─ c [rank] ─ norm ───────────────┐                             │
//             └─ r [ropeDim] ─ rope ─ [c | r] ──┴─ cache ─ latent attention ──┴─ o

import type { KvLayerShape, Recorder, Tensor } from '@airllm/backend';
import type { LayerContext, RecordedMixer } from '../decoder/decoder-config.js';
import { project } from '../decoder/layer-scope.js';

export interface LatentAttentionConfig {
  readonly heads: number;
  /** Width of the compressed queries; undefined where queries are projected directly. */
  readonly queryRank: number | undefined;
  /** Width of the compressed keys and values. */
  readonly rank: number;
  /** Per head: columns without position, columns with, and columns of values. */
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly scale: number;
  readonly normEps: number;
  readonly ropeStyle: 'half' | 'interleaved';
  /** On the projections from and to the stream. */
  readonly bias: boolean;
}

/** Source: arXiv 2405.04434; transformers, DeepseekV2Attention and DeepseekV3Attention. */
export class LatentAttention implements RecordedMixer {
  readonly kind = 'recorded';

  constructor(readonly config: LatentAttentionConfig) {}

  get cache(): KvLayerShape {
    const { rank, ropeDim } = this.config;
    return { kind: 'attention', kvHeads: 1, headDim: rank + ropeDim, keysOnly: true };
  }

  /** [T, D] → [T, D]. Uses the decoder's first rope. */
  record(rec: Recorder, x: Tensor, { state, layer, weights }: LayerContext): Tensor {
    const { heads, rank, nopeDim, ropeDim, valueDim, scale, normEps, ropeStyle, bias } = this.config;
    const [rotary] = state.rotary;
    if (!rotary) throw new RangeError('Expected a rotary embedding for latent attention');
    const rope = { ...rotary, rotaryDim: ropeDim, style: ropeStyle };

    const q = this.#recordQueries(rec, x, weights);
    rec.rope(q, { ...rope, headDim: nopeDim + ropeDim, rotaryStart: nopeDim });

    const width = rank + ropeDim;
    const latent = project(rec, x, weights.projection('self_attn.kv_a_proj_with_mqa', [width, x.cols], bias));
    const compressed = latent.columns(0, rank);
    const norm = weights.vector('self_attn.kv_a_layernorm', rank);
    rec.rmsNorm(compressed, { weight: norm, eps: normEps, out: compressed });
    rec.rope(latent, { ...rope, headDim: width, rotaryStart: rank });

    const expand = weights.matrix('self_attn.kv_b_proj', heads * (nopeDim + valueDim), rank);
    const mixed = rec.latentAttention(q, latent, {
      layer,
      kvB: { ...expand, whole: true },
      ...{ heads, rank, nopeDim, ropeDim, valueDim, scale },
    });
    return project(rec, mixed, weights.projection('self_attn.o_proj', [x.cols, heads * valueDim], bias));
  }

  /** [T, heads · (nopeDim + ropeDim)] */
  #recordQueries(rec: Recorder, x: Tensor, weights: LayerContext['weights']): Tensor {
    const { heads, queryRank, nopeDim, ropeDim, normEps, bias } = this.config;
    const width = heads * (nopeDim + ropeDim);
    if (queryRank === undefined) return rec.linear(x, weights.matrix('self_attn.q_proj', width, x.cols));
    const compressed = project(rec, x, weights.projection('self_attn.q_a_proj', [queryRank, x.cols], bias));
    const norm = weights.vector('self_attn.q_a_layernorm', queryRank);
    rec.rmsNorm(compressed, { weight: norm, eps: normEps, out: compressed });
    return rec.linear(compressed, weights.matrix('self_attn.q_b_proj', width, queryRank));
  }
}
