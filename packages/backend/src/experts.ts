// Mixtures of experts as data: what a program records of them, to be lowered by whoever runs it.

import type { Command } from './command.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

/** How router logits [T, E] become experts and their weights, row by row. */
export interface RoutingRule {
  readonly topK: number;
  /** What a logit becomes before the choice. `none` chooses by the logit and applies softmax to the chosen ones. */
  readonly scoring: 'softmax' | 'sigmoid' | 'none';
  /** Divide the chosen scores by their sum. */
  readonly normalizeTopK: boolean;
  /** Multiplies the chosen scores in the end. */
  readonly scale: number;
  /** Vector [E] that is added to the scores for the choice alone (DeepSeek-V3). */
  readonly correctionBias: WeightRef | undefined;
  /** Experts are chosen from the best `topGroups` of `count` equal groups; a group's score is that of its best expert, or of its best two together. */
  readonly groups:
    { readonly count: number; readonly topGroups: number; readonly score: 'max' | 'top2-sum' } | undefined;
  /** The weight multiplies the expert's input instead of its output (Llama 4). */
  readonly scaleInput: boolean;
}

/** One expert's work: commands from `input` [T, D] to `output` [T, D], tensors that all experts share. */
export interface ExpertProgram<W> {
  readonly commands: readonly Command<W>[];
  readonly input: Tensor;
  readonly output: Tensor;
}

/**
 * Outputs that wait for their turn in the sum: enough for every token of a batch that decodes, little beside the activations
 * of a prompt.
 */
export const MAX_HELD_ROWS = 256;

/**
 * A routed mixture of experts. Not executed by backends: whoever runs the program reads `logits` back, routes on
 * the host, and for each expert named runs its program on the rows that chose it (the first rows of its tensors),
 * gathered before and scattered onto `out` after, so that no other expert's weights are ever needed.
 * x, out [T, D]; logits [T, E]; held [min(T · topK, MAX_HELD_ROWS), D].
 */
export interface ExpertsCommand<W> {
  readonly op: 'experts';
  readonly x: Tensor;
  readonly logits: Tensor;
  readonly out: Tensor;
  /** Room for outputs of experts that are computed before the sum comes to them; see {@link MAX_HELD_ROWS}. */
  readonly held: Tensor;
  readonly routing: RoutingRule;
  readonly record: (expert: number) => ExpertProgram<W>;
}

/** What a model definition records: device commands, and mixtures to be lowered. */
export type RecordedCommand<W> = Command<W> | ExpertsCommand<W>;
