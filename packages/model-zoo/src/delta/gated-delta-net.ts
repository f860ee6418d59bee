// A gated delta net as the mixer of a layer: linear attention with a state per value head in place of keys and values.
//
//   x ─ q,k,v ─ convolution over time ─ gated delta rule ─ norm per head ─⊙─ o
//   x ─ a,b (decay, rate) ────────────────┘             x ─ z ─ silu ─────┘

import type { RecurrentLayerShape, Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { LayerContext, RecordedMixer } from '../decoder/decoder-config.js';
import type { LayerScope } from '../decoder/layer-scope.js';
import { convChannels, type GatedDeltaNetConfig } from './gated-delta-net-config.js';
import { recordDeltaInputs } from './record-delta-inputs.js';

/** Source: arXiv 2412.06464; transformers, Qwen3NextGatedDeltaNet and Qwen3_5GatedDeltaNet. */
export class GatedDeltaNet implements RecordedMixer {
  readonly kind = 'recorded';

  constructor(readonly config: GatedDeltaNetConfig) {}

  get cache(): RecurrentLayerShape {
    const { valueHeads: heads, keyDim, valueDim, convWidth } = this.config;
    return { kind: 'recurrent', convChannels: convChannels(this.config), convWidth, heads, keyDim, valueDim };
  }

  /** [T, D] → [T, D]. */
  record(rec: Recorder, x: Tensor, { layer, weights }: LayerContext): Tensor {
    const { keyHeads, valueHeads, keyDim, valueDim, normEps } = this.config;
    const keyWidth = keyHeads * keyDim;
    const valueWidth = valueHeads * valueDim;
    const { qkv, z, a, b } = recordDeltaInputs(rec, x, { config: this.config, weights });
    const mixed = rec.shortConv(qkv, convWeight(weights, this.config), { layer });
    const out = rec.gatedDelta(
      {
        q: mixed.columns(0, keyWidth),
        k: mixed.columns(keyWidth, keyWidth),
        v: mixed.columns(2 * keyWidth, valueWidth),
        a,
        b,
      },
      {
        layer,
        aLog: weights.tensor('linear_attn.A_log', [valueHeads]),
        dtBias: weights.tensor('linear_attn.dt_bias', [valueHeads]),
        ...{ keyHeads, valueHeads, keyDim, valueDim },
      },
    );
    rec.rmsNorm(out, { weight: weights.vector('linear_attn.norm', valueDim), eps: normEps, out });
    return rec.linear(rec.glu(z, out, 'silu'), weights.matrix('linear_attn.out_proj', x.cols, valueWidth));
  }
}

/** [channels, width]; stored as torch's Conv1d has it, [channels, 1, width]. */
function convWeight(weights: LayerScope, config: GatedDeltaNetConfig): WeightRef {
  const channels = convChannels(config);
  const { name } = weights.matrix('linear_attn.conv1d', channels, config.convWidth);
  return {
    name,
    shape: [channels, config.convWidth],
    source: { tensor: name, shape: [channels, 1, config.convWidth], start: 0 },
    whole: true,
  };
}
