// The one decoder block: norm, attention, norm, MLP or experts, each added to the stream. Families change
// the config and the names, never these functions.
//
//   hidden ─┬─ norm ─ q,k,v ─ [q,k norm] ─ rope ─ attention ─ o ─(+)─┬─ norm ─ MLP | experts ─(+)─ hidden
//           └────────────────────────────────────────────────────────┘└──────────────────────────┘

import type { Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { ModelDefinition, PassState } from '../definition.js';
import { contextLength } from '../rope/context-length.js';
import { createRope } from '../rope/create-rope.js';
import type { DecoderConfig } from './decoder-config.js';
import { ignoredTensors } from './ignored-tensors.js';
import { layerWeights, type LayerWeights, type MlpWeights, type Projection } from './layer-weights.js';
import type { TensorNames } from './tensor-names.js';

interface BlockOptions {
  readonly config: DecoderConfig;
  readonly w: LayerWeights;
}

/** An architecture that is this block with a config and names. */
export function createDecoder(family: string, config: DecoderConfig, names: TensorNames): ModelDefinition {
  const { hiddenSize, layers, vocabSize, kvHeads, headDim, normEps } = config;
  const embedding: WeightRef = { name: `${names.embedding}.weight`, shape: [vocabSize, hiddenSize] };
  const finalNorm: WeightRef = { name: `${names.finalNorm}.weight`, shape: [hiddenSize] };
  const head: WeightRef = config.tiedHead
    ? embedding
    : { name: `${names.head}.weight`, shape: [vocabSize, hiddenSize] };
  const weights: LayerWeights[] = Array.from({ length: layers }, (_, layer) =>
    layerWeights(config, names, layer),
  );

  return {
    family,
    sizes: {
      hiddenSize,
      layers,
      vocabSize,
      maxPositions: contextLength(config.rope),
      kv: Array.from({ length: layers }, () => ({ kvHeads, headDim })),
    },
    rope: createRope(config.rope),
    embedding,
    recordLayer(rec, state, layer) {
      const w = weights[layer];
      if (!w) throw new RangeError(`Expected a layer below ${layers} but received ${layer}`);
      rec.accumulate(state.hidden, recordAttention(rec, state, { config, w, layer }));
      const normed = rec.rmsNorm(state.hidden, w.postAttentionNorm, normEps);
      rec.accumulate(state.hidden, recordFeedForward(rec, normed, { config, w }));
    },
    recordHead: (rec, hidden) => rec.linear(rec.rmsNorm(hidden, finalNorm, normEps), head),
    ignores: ignoredTensors(config, names),
  };
}

/** [T, D] → [T, D]. */
function recordAttention(
  rec: Recorder,
  { hidden, cos, sin }: PassState,
  { config, w, layer }: BlockOptions & { layer: number },
): Tensor {
  const { heads, kvHeads, headDim, normEps } = config;
  const { rotaryDim, style } = config.rope;
  const [q, k, v] = recordQkv(rec, rec.rmsNorm(hidden, w.inputNorm, normEps), { config, w });
  if (w.qkNorm) {
    rec.rmsNorm(q, w.qkNorm.q, normEps, q);
    rec.rmsNorm(k, w.qkNorm.k, normEps, k);
  }
  rec.rope(q, { cos, sin, headDim, rotaryDim, style });
  rec.rope(k, { cos, sin, headDim, rotaryDim, style });
  const window = config.slidingWindows[layer];
  const mixed = rec.attention(q, k, v, { layer, heads, kvHeads, headDim, scale: headDim ** -0.5, window });
  return project(rec, mixed, w.o);
}

/** q [T, heads · headDim], k and v [T, kvHeads · headDim]; views of one tensor where the weight is one. */
function recordQkv(rec: Recorder, x: Tensor, { config, w }: BlockOptions): [q: Tensor, k: Tensor, v: Tensor] {
  if ('q' in w.qkv) return [project(rec, x, w.qkv.q), project(rec, x, w.qkv.k), project(rec, x, w.qkv.v)];
  const all = project(rec, x, w.qkv);
  const qWidth = config.heads * config.headDim;
  const kvWidth = config.kvHeads * config.headDim;
  return [all.columns(0, qWidth), all.columns(qWidth, kvWidth), all.columns(qWidth + kvWidth, kvWidth)];
}

/** [T, D] → [T, D]. */
function recordFeedForward(rec: Recorder, x: Tensor, options: BlockOptions): Tensor {
  const { activation } = options.config;
  const { feedForward } = options.w;
  if (feedForward.kind === 'moe') {
    const { router, routing, experts } = feedForward;
    return rec.experts(x, rec.linear(x, router), { routing, activation, experts });
  }
  const [gate, up] = recordGateUp(rec, x, feedForward);
  return project(rec, rec.glu(gate, up, activation), feedForward.down);
}

/** Two [T, I]; views of one [T, 2I] where the weight is one. */
function recordGateUp(rec: Recorder, x: Tensor, { gateUp }: MlpWeights): [gate: Tensor, up: Tensor] {
  if ('gate' in gateUp) return [project(rec, x, gateUp.gate), project(rec, x, gateUp.up)];
  const both = project(rec, x, gateUp);
  const width = both.cols / 2;
  return [both.columns(0, width), both.columns(width, width)];
}

function project(rec: Recorder, x: Tensor, { weight, bias }: Projection): Tensor {
  return rec.linear(x, weight, bias);
}
