// The weights of one decoder layer, named and shaped from a config and a table of names.

import type { ExpertRef, RoutingRule, WeightRef } from '@airllm/backend';
import type { DecoderConfig, MoeConfig } from './decoder-config.js';
import type { TensorNames } from './tensor-names.js';

/** A matrix [out, in] and its bias [out]. */
export interface Projection {
  readonly weight: WeightRef;
  readonly bias: WeightRef | undefined;
}

/** D hiddenSize, H heads, K kvHeads, d headDim, I intermediateSize, E experts. */
export interface LayerWeights {
  /** [D] */
  readonly inputNorm: WeightRef;
  /** q [H·d, D], k and v [K·d, D]; or all three in one [(H + 2K)·d, D]. */
  readonly qkv: { readonly q: Projection; readonly k: Projection; readonly v: Projection } | Projection;
  /** [d] each. */
  readonly qkNorm: { readonly q: WeightRef; readonly k: WeightRef } | undefined;
  /** [D, H·d] */
  readonly o: Projection;
  /** [D] */
  readonly postAttentionNorm: WeightRef;
  readonly feedForward: MlpWeights | MoeWeights;
}

export interface MlpWeights {
  readonly kind: 'mlp';
  /** [I, D] each; or both in one [2I, D]. */
  readonly gateUp: { readonly gate: Projection; readonly up: Projection } | Projection;
  /** [D, I] */
  readonly down: Projection;
}

export interface MoeWeights {
  readonly kind: 'moe';
  /** [E, D] */
  readonly router: WeightRef;
  readonly experts: readonly ExpertRef<WeightRef>[];
  readonly routing: RoutingRule;
}

/** Names and shapes of layer `layer`. */
export function layerWeights(config: DecoderConfig, names: TensorNames, layer: number): LayerWeights {
  const { hiddenSize, headDim, biases, moe } = config;
  const prefix = names.layer.replace('{layer}', String(layer));
  const qWidth = config.heads * headDim;
  const kvWidth = config.kvHeads * headDim;
  const vector = (stem: string, length: number): WeightRef => ({
    name: `${prefix}${stem}.weight`,
    shape: [length],
  });
  const matrix = (stem: string, rows: number, cols: number): WeightRef => ({
    name: `${prefix}${stem}.weight`,
    shape: [rows, cols],
  });
  const projection = (stem: string, shape: readonly [number, number], biased: boolean): Projection => ({
    weight: matrix(stem, ...shape),
    bias: biased ? { name: `${prefix}${stem}.bias`, shape: [shape[0]] } : undefined,
  });
  const input = (stem: string, rows: number, biased: boolean): Projection =>
    projection(stem, [rows, hiddenSize], biased);

  return {
    inputNorm: vector(names.inputNorm, hiddenSize),
    qkv:
      'fused' in names.qkv
        ? input(names.qkv.fused, qWidth + 2 * kvWidth, biases.qkv)
        : {
            q: input(names.qkv.q, qWidth, biases.qkv),
            k: input(names.qkv.k, kvWidth, biases.qkv),
            v: input(names.qkv.v, kvWidth, biases.qkv),
          },
    qkNorm: config.qkNorm ? { q: vector(names.qNorm, headDim), k: vector(names.kNorm, headDim) } : undefined,
    o: projection(names.o, [hiddenSize, qWidth], biases.o),
    postAttentionNorm: vector(names.postAttentionNorm, hiddenSize),
    feedForward: moe ? routed(moe) : dense(config.intermediateSize),
  };

  function dense(width: number): MlpWeights {
    return {
      kind: 'mlp',
      gateUp:
        'fused' in names.gateUp
          ? input(names.gateUp.fused, 2 * width, biases.mlp)
          : {
              gate: input(names.gateUp.gate, width, biases.mlp),
              up: input(names.gateUp.up, width, biases.mlp),
            },
      down: projection(names.down, [hiddenSize, width], biases.mlp),
    };
  }

  function routed({ experts, topK, normalizeTopK, intermediateSize: width }: MoeConfig): MoeWeights {
    const of = (stem: string, expert: number): string => stem.replace('{expert}', String(expert));
    return {
      kind: 'moe',
      router: matrix(names.router, experts, hiddenSize),
      routing: { topK, normalizeTopK },
      experts: Array.from({ length: experts }, (_, expert) => ({
        gate: matrix(of(names.expert.gate, expert), width, hiddenSize),
        up: matrix(of(names.expert.up, expert), width, hiddenSize),
        down: matrix(of(names.expert.down, expert), hiddenSize, width),
      })),
    };
  }
}
