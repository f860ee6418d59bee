// What a model definition is to those who run it: sizes, a rotary embedding, and functions that record
// the embedding, one layer and the head. Which weights exist, and their order, is found by recording.

import type { CacheLayerShape, Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { Rope } from './rope.js';

/** Sizes that placement, KV cache and generation need, in the field's terms. */
export interface ModelSizes {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly vocabSize: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  /** What each layer keeps of the past. */
  readonly cache: readonly CacheLayerShape[];
}

/** State that crosses the programs of a pass; declared as recorder inputs by the runner. */
export interface PassState {
  /** [T, hiddenSize], updated in place by every layer. */
  readonly hidden: Tensor;
  /** For each of `ropes`: [T, rotaryDim / 2] cosines and sines of every row's position, attention factor included. */
  readonly rotary: readonly { readonly cos: Tensor; readonly sin: Tensor }[];
  /** For each of `rowScales`: [T, 1], its value at every row's position. */
  readonly rowScales: readonly Tensor[];
}

/** An architecture with its config applied. */
export interface ModelDefinition {
  /** `llama`, `qwen3`, `chatglm` … */
  readonly family: string;
  /** Lines for people: what of the checkpoint is not run. */
  readonly notices: readonly string[];
  readonly sizes: ModelSizes;
  /** Rotary embeddings; most models have one, those with local and global layers two, those with ALiBi none. */
  readonly ropes: readonly Rope[];
  /** Factors that depend on a row's absolute position (0-based) alone: logn attention, temperature tuning. */
  readonly rowScales: readonly ((position: number) => number)[];
  /** [vocabSize, hiddenSize]; rows are read one by one, never as a whole. */
  readonly embedding: WeightRef;
  /** Records what happens to the embedding rows before the first layer, where something does. */
  recordInput?(rec: Recorder, state: PassState): void;
  /** Records layer `layer` (0-based), which updates `state.hidden`. */
  recordLayer(rec: Recorder, state: PassState, layer: number): void;
  /** Records final norm and output projection of `hidden` [T, hiddenSize]. Returns logits [T, vocabSize]. */
  recordHead(rec: Recorder, hidden: Tensor): Tensor;
  /** GPTQ weights have their rows in any order of groups (`desc_act`). */
  readonly shuffledGroups: boolean;
  /** True for checkpoint tensors of this architecture that are not used (rotary buffers, MTP layers, vision). */
  ignores(tensorName: string): boolean;
}
