// From router logits to experts: which rows go to which expert, and with what weight.

import type { RoutingRule } from '@airllm/backend';

/** The rows of one pass that an expert computes. */
export interface ExpertRows {
  readonly expert: number;
  readonly rows: Uint32Array;
  /** Per row, the weight of this expert: of its output, or of its input where the rule says so. */
  readonly scales: Float32Array;
}

/** Keeps a sum of scores that all underflowed from being a divisor of 0 (DeepSeek-V3). */
const MIN_SUM = 1e-20;

/**
 * Applies a routing rule to every row: scores, choice of groups, the `topK` best (lower index first on ties), weights.
 *
 * @param logits [rows, experts], row-major
 * @param correctionBias [experts], the values of `rule.correctionBias` where it has one
 * @returns the experts at least one row chose, by ascending index: sums over experts then have one order
 * whatever else is in the batch. Source: the TopKRouter classes of transformers, one per family.
 * @throws RangeError when a correction bias is missing or of another length than `experts`.
 *
 * @example
 * const routed = routeExperts(logits, 8, { ...rule, topK: 2 });
 * routed[0]; // { expert: 0, rows: Uint32Array [3, 7], scales: Float32Array [0.6, 0.4] }
 */
export function routeExperts(
  logits: Float32Array,
  experts: number,
  rule: RoutingRule,
  correctionBias?: Float32Array,
): ExpertRows[] {
  if ((rule.correctionBias !== undefined || correctionBias) && correctionBias?.length !== experts) {
    throw new RangeError(
      `Expected a correction bias of ${experts} values but received ${correctionBias?.length ?? 'none'}`,
    );
  }
  const chosen: { rows: number[]; scales: number[] }[] = Array.from({ length: experts }, () => ({
    rows: [],
    scales: [],
  }));
  for (let row = 0; row * experts < logits.length; row++) {
    const scores = scoresOf(logits.subarray(row * experts, (row + 1) * experts), rule.scoring);
    const best = takeBest(ranking(scores, rule, correctionBias), rule.topK);
    const weights = weightsOf(
      Float64Array.from(best, (expert) => scores[expert] ?? NaN),
      rule,
    );
    best.forEach((expert, i) => {
      chosen[expert]?.rows.push(row);
      chosen[expert]?.scales.push(weights[i] ?? NaN);
    });
  }
  return chosen.flatMap(({ rows, scales }, expert) =>
    rows.length === 0 ? [] : [{ expert, rows: Uint32Array.from(rows), scales: Float32Array.from(scales) }],
  );
}

function scoresOf(logits: Float32Array, scoring: RoutingRule['scoring']): Float64Array {
  switch (scoring) {
    case 'softmax':
      return softmax(Float64Array.from(logits));
    case 'sigmoid':
      return Float64Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
    case 'none':
      return Float64Array.from(logits);
  }
}

/** What experts are chosen by: −∞ outside the best groups. */
function ranking(
  scores: Float64Array,
  { groups }: RoutingRule,
  correctionBias: Float32Array | undefined,
): Float64Array {
  const ranks = scores.map((score, expert) => score + (correctionBias?.[expert] ?? 0));
  if (!groups) return ranks;
  const width = ranks.length / groups.count;
  const groupScores = Float64Array.from({ length: groups.count }, (_, group) => {
    const [first = 0, second = 0] = ranks.slice(group * width, (group + 1) * width).sort((a, b) => b - a);
    return groups.score === 'max' ? first : first + second;
  });
  const kept = takeBest(groupScores, groups.topGroups);
  return ranks.map((rank, expert) => (kept.includes(Math.floor(expert / width)) ? rank : -Infinity));
}

/** Indices of the `count` largest finite values, largest first. Linear in each: both numbers are small. */
function takeBest(values: Float64Array, count: number): number[] {
  const left = values.slice();
  const best: number[] = [];
  while (best.length < count) {
    const index = left.reduce((top, value, i) => (value > (left[top] ?? -Infinity) ? i : top), -1);
    if (index < 0) break;
    best.push(index);
    left[index] = -Infinity;
  }
  return best;
}

function weightsOf(scores: Float64Array, { scoring, normalizeTopK, scale }: RoutingRule): Float64Array {
  const weights = scoring === 'none' ? softmax(scores) : scores;
  const divisor = normalizeTopK ? sum(weights) + MIN_SUM : 1;
  return weights.map((weight) => (weight / divisor) * scale);
}

function softmax(logits: Float64Array): Float64Array {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exps = logits.map((logit) => Math.exp(logit - max));
  const total = sum(exps);
  return exps.map((exp) => exp / total);
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
