// The weights of a model as layers need them: what `listWeights` of @airllm/model-zoo gives. Named here by shape, so that
// sharding does not depend on how models are described.

/** A weight that a layer names, and the tensor of the checkpoint it lies in. */
export interface WeightUse {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where it is a part of a larger tensor. */
  readonly source?: { readonly tensor: string };
}

/** One layer, or the head, which comes last. */
export interface WeightStage {
  readonly name: string;
  readonly weights: readonly WeightUse[];
  /** Weights of each routed expert. */
  readonly experts?: readonly (readonly WeightUse[])[];
}

export interface WeightGroups {
  readonly embedding: WeightUse;
  readonly stages: readonly WeightStage[];
  /** Names of weights that can only be used as single values. Default: none. */
  readonly unpackable?: ReadonlySet<string>;
}
