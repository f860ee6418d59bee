// A routed mixture of experts as data. Families differ in these values.

import type { Activation, RoutingRule } from '@airllm/backend';

/** gpt-oss' gate over alternating columns; see `clampedGlu`. */
export interface ClampedGate {
  readonly alpha: number;
  readonly limit: number;
}

/**
 * Where the experts' weights are, by stems. D hiddenSize, I intermediateSize, E experts.
 * `separate`: gate, up [I, D] and down [D, I] of every expert, `{expert}` standing for its number.
 * `fused`: one tensor for all, [E, 2I, D] and [E, D, I], or input-major [E, D, 2I] and [E, I, D]. Biases
 * [E, 2I] and [E, D], if there are any, are called as their tensor with `_bias` after it.
 */
export type ExpertLayout =
  | { readonly kind: 'separate'; readonly gate: string; readonly up: string; readonly down: string }
  | {
      readonly kind: 'fused';
      readonly gateUp: string;
      readonly down: string;
      readonly inputMajor: boolean;
      readonly biased: boolean;
    };

/** An MLP that every row goes through, beside the routed experts. */
export interface SharedExpertConfig {
  /** Its projections are `<stem>.gate_proj`, `<stem>.up_proj` and `<stem>.down_proj`. */
  readonly stem: string;
  readonly width: number;
  readonly activation: Activation;
  /** Stem of a [1, D] matrix whose sigmoid multiplies the output, where there is one. */
  readonly gate: string | undefined;
}

export interface MixtureConfig {
  /** Number of routed experts. */
  readonly experts: number;
  /** Width of one. */
  readonly width: number;
  readonly gate: Activation | ClampedGate;
  /** Stem of the matrix [E, D], which may have a bias. */
  readonly router: string;
  readonly routerBias: boolean;
  readonly routing: Omit<RoutingRule, 'correctionBias'>;
  /** Name of the vector [E] that is added to scores for the choice, where there is one. */
  readonly correctionBias: string | undefined;
  readonly layout: ExpertLayout;
  readonly shared: SharedExpertConfig | undefined;
}

/** Where most families keep their experts: one tensor per expert and matrix, and nothing beside them. */
export const PLAIN_MIXTURE = {
  router: 'mlp.gate',
  routerBias: false,
  correctionBias: undefined,
  layout: {
    kind: 'separate',
    gate: 'mlp.experts.{expert}.gate_proj',
    up: 'mlp.experts.{expert}.up_proj',
    down: 'mlp.experts.{expert}.down_proj',
  },
  shared: undefined,
} as const satisfies Partial<MixtureConfig>;

/** Where Qwen keeps its experts where they are one tensor for all. */
export const FUSED_LAYOUT = {
  kind: 'fused',
  gateUp: 'mlp.experts.gate_up_proj',
  down: 'mlp.experts.down_proj',
  inputMajor: false,
  biased: false,
} as const satisfies ExpertLayout;

/** Softmax over all experts, the best `topK`. */
export function softmaxRouting(topK: number, normalizeTopK: boolean): MixtureConfig['routing'] {
  return { topK, scoring: 'softmax', normalizeTopK, scale: 1, groups: undefined, scaleInput: false };
}

/** The best `topK` logits, and softmax over those. */
export function chosenSoftmaxRouting(topK: number): MixtureConfig['routing'] {
  return { ...softmaxRouting(topK, false), scoring: 'none' };
}
