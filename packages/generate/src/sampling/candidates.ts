// From logits to the tokens that may be drawn and their weights: temperature, then top-k, top-p and min-p, in the
// order and with the edge cases of the logits warpers of transformers.

import { expNonPositive } from './exp-non-positive.js';
import type { ResolvedSamplingOptions } from './sampling-options.js';
import { orderKey, selectThreshold } from './select-threshold.js';
import type { SamplingWorkspace } from './workspace.js';

export interface Candidates {
  /** How many; their `ids` and `weights` are the first entries of the workspace's arrays, ids ascending. */
  readonly count: number;
  readonly totalWeight: number;
}

/**
 * Reduces `workspace.scores`, `[vocabSize]`, to the candidates. At least one remains, the best token.
 *
 * Where equal scores straddle the edge of top-k all of them stay, as in transformers; at the edge of top-p the lowest
 * ids stay (transformers leaves this to the sort).
 *
 * @param bestScore the largest of the scores, finite
 */
export function selectCandidates(
  workspace: SamplingWorkspace,
  bestScore: number,
  options: ResolvedSamplingOptions,
): Candidates {
  const { ids } = workspace;
  let count = ids.length;
  for (let i = 0; i < count; i++) ids[i] = i;
  if (options.topK > 0 && options.topK < count) count = keepTopK(workspace, count, options.topK);
  let totalWeight = weigh(workspace, count, { bestScore, temperature: options.temperature });
  if (options.topP < 1) count = keepTopP(workspace, count, options.topP * totalWeight);
  if (options.minP > 0) count = keepMinP(workspace, count, options.minP);
  if (options.topP < 1 || options.minP > 0) totalWeight = sumWeights(workspace, count);
  return { count, totalWeight };
}

function keepTopK({ scores, scoreBits, ids }: SamplingWorkspace, count: number, topK: number): number {
  const { thresholdKey } = selectThreshold(scoreBits, count, { target: topK });
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (orderKey(scoreBits[i] ?? 0) < thresholdKey) continue;
    ids[kept] = ids[i] ?? 0;
    scores[kept++] = scores[i] ?? 0;
  }
  return kept;
}

/** @param targetWeight the weight the kept tokens must reach */
function keepTopP(workspace: SamplingWorkspace, count: number, targetWeight: number): number {
  const { scoreBits, ids, weights } = workspace;
  // A target of 0 still keeps the best token.
  const target = Math.max(targetWeight, Number.MIN_VALUE);
  const { thresholdKey, measureAbove } = selectThreshold(scoreBits, count, { target, measures: weights });
  let weightKept = measureAbove;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const key = orderKey(scoreBits[i] ?? 0);
    if (key < thresholdKey) continue;
    const weight = weights[i] ?? 0;
    if (key === thresholdKey) {
      if (weightKept >= target) continue;
      weightKept += weight;
    }
    ids[kept] = ids[i] ?? 0;
    weights[kept++] = weight;
  }
  return kept;
}

function keepMinP({ ids, weights }: SamplingWorkspace, count: number, minP: number): number {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] ?? 0;
    // The best token weighs 1, so a weight is already a probability relative to it.
    if (weight < minP) continue;
    ids[kept] = ids[i] ?? 0;
    weights[kept++] = weight;
  }
  return kept;
}

function weigh(
  { scores, weights }: SamplingWorkspace,
  count: number,
  { bestScore, temperature }: { bestScore: number; temperature: number },
): number {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const weight = expNonPositive(((scores[i] ?? 0) - bestScore) / temperature);
    weights[i] = weight;
    total += weight;
  }
  return total;
}

function sumWeights({ weights }: SamplingWorkspace, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i] ?? 0;
  return total;
}
