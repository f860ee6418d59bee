// Softmax attention whose output is gated by the layer's input: the query projection gives, per head, a query and a
// gate.
//
//   x ─ q | gate, k, v ─ norm per head ─ rope ─ attention ─ ⊙ sigmoid(gate) ─ o

import type { KvLayerShape, Recorder, Tensor } from '@airllm/backend';
import type {
  AttentionConfig,
  LayerContext,
  QkNormConfig,
  RecordedMixer,
} from '../decoder/decoder-config.js';
import { project } from '../decoder/layer-scope.js';
import { recordHeadNorm, recordRope } from '../decoder/record-attention.js';
import type { RopeConfig } from '../rope/rope-config.js';

export interface GatedAttentionConfig extends Pick<
  AttentionConfig,
  'heads' | 'kvHeads' | 'headDim' | 'scale'
> {
  readonly rope: RopeConfig;
  readonly qkNorm: QkNormConfig;
  /** On all projections. */
  readonly bias: boolean;
}

/** Source: transformers, Qwen3NextAttention. */
export class GatedAttention implements RecordedMixer {
  readonly kind = 'recorded';

  constructor(readonly config: GatedAttentionConfig) {}

  get cache(): KvLayerShape {
    const { kvHeads, headDim } = this.config;
    return { kind: 'attention', kvHeads, headDim, keysOnly: false };
  }

  /** [T, D] → [T, D]. Uses the decoder's first rope. */
  record(rec: Recorder, x: Tensor, { state, layer, weights }: LayerContext): Tensor {
    const { heads, kvHeads, headDim, scale, rope, qkNorm: norm, bias } = this.config;
    const input = (stem: string, width: number): Tensor =>
      project(rec, x, weights.projection(`self_attn.${stem}`, [width, x.cols], bias));
    const queriesAndGates = input('q_proj', 2 * heads * headDim);
    const half = { groupWidth: 2 * headDim, count: headDim };
    const q = rec.ungroup(queriesAndGates, { ...half, start: 0 });
    const gate = rec.ungroup(queriesAndGates, { ...half, start: headDim });
    const k = input('k_proj', kvHeads * headDim);
    const v = input('v_proj', kvHeads * headDim);
    recordHeadNorm(rec, q, { norm, stem: 'self_attn.q_norm', headDim, weights });
    recordHeadNorm(rec, k, { norm, stem: 'self_attn.k_norm', headDim, weights });
    recordRope(rec, [q, k], { attention: { rope: 0, headDim }, context: { state, ropes: [rope] } });
    const mixed = rec.attention(q, k, v, { layer, heads, kvHeads, headDim, scale });
    const out = weights.projection('self_attn.o_proj', [x.cols, heads * headDim], bias);
    return project(rec, rec.sigmoidGate(mixed, gate), out);
  }
}
