// What the text so far, and the caller's biases, do to the logits, in this order: repetition penalty, presence and
// frequency penalties, logit bias. Ids outside the vocabulary of the head (padding tokens) are passed over.

import type { ResolvedSamplingOptions } from './sampling-options.js';
import type { SamplingWorkspace } from './workspace.js';

/** The tokens a sequence holds before the one to be chosen. */
export interface TokenHistory {
  readonly promptIds: ArrayLike<number>;
  readonly generatedIds: ArrayLike<number>;
}

/**
 * Changes `workspace.scores`, `[vocabSize]`, in place.
 *
 * Repetition: `RepetitionPenaltyLogitsProcessor` of transformers (after Keskar et al., CTRL, 2019): the logit of every
 * token of prompt or text is divided by the penalty, or multiplied when negative. Presence and frequency: the OpenAI
 * API reference, counting generated tokens only.
 */
export function applyPenalties(
  workspace: SamplingWorkspace,
  history: TokenHistory,
  options: ResolvedSamplingOptions,
): void {
  const { scores } = workspace;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = options;
  if (repetitionPenalty !== 1) {
    forEachDistinct(workspace, [history.promptIds, history.generatedIds], (id, score) => {
      scores[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    });
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    forEachDistinct(workspace, [history.generatedIds], (id, score, count) => {
      scores[id] = score - presencePenalty - frequencyPenalty * count;
    });
  }
  for (const [id, bias] of options.logitBias) {
    const score = scores[id];
    if (score !== undefined) scores[id] = score + bias;
  }
}

function forEachDistinct(
  workspace: SamplingWorkspace,
  lists: readonly ArrayLike<number>[],
  visit: (id: number, score: number, count: number) => void,
): void {
  const { counts, scores } = workspace;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const id = list[i] ?? -1;
      const count = counts[id];
      if (count !== undefined) counts[id] = count + 1;
    }
  }
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const id = list[i] ?? -1;
      const count = counts[id];
      const score = scores[id];
      if (count === undefined || score === undefined || count === 0) continue;
      counts[id] = 0;
      visit(id, score, count);
    }
  }
}
