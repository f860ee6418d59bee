// The routing rule, written out for one row: the smallest reading of RoutingRule in the backend contract.

import type { RoutingRule } from '@airllm/backend';

export interface Choice {
  readonly expert: number;
  readonly weight: number;
}

/** The experts of one row, best first, from its router logits. `bias` is what `correctionBias` names. */
export function route(
  logits: Float32Array,
  rule: RoutingRule,
  bias: Float32Array | undefined,
): readonly Choice[] {
  const scores = scoresOf(logits, rule.scoring);
  const ranks = scores.map((score, expert) => score + (bias?.[expert] ?? 0));
  const allowed = allowedExperts(ranks, rule.groups);
  const chosen = [...allowed].sort((a, b) => at(ranks, b) - at(ranks, a)).slice(0, rule.topK);
  const raw = chosen.map((expert) => at(scores, expert));
  const weights = rule.scoring === 'none' ? softmax(raw) : raw;
  const total = rule.normalizeTopK ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
  return chosen.map((expert, i) => ({ expert, weight: (at(weights, i) / total) * rule.scale }));
}

function scoresOf(logits: Float32Array, scoring: RoutingRule['scoring']): number[] {
  switch (scoring) {
    case 'none':
      return [...logits];
    case 'softmax':
      return softmax([...logits]);
    case 'sigmoid':
      return [...logits].map((logit) => 1 / (1 + Math.exp(-logit)));
  }
}

function softmax(values: readonly number[]): number[] {
  const max = Math.max(...values);
  const exps = values.map((value) => Math.exp(value - max));
  const total = exps.reduce((sum, value) => sum + value, 0);
  return exps.map((value) => value / total);
}

function allowedExperts(ranks: readonly number[], groups: RoutingRule['groups']): number[] {
  const experts = ranks.map((_, expert) => expert);
  if (!groups) return experts;
  const size = ranks.length / groups.count;
  const members = Array.from({ length: groups.count }, (_, g) => experts.slice(g * size, (g + 1) * size));
  const scoreOf = (group: readonly number[]): number => {
    const [best = 0, second = 0] = group.map((expert) => at(ranks, expert)).sort((a, b) => b - a);
    return groups.score === 'max' ? best : best + second;
  };
  return members
    .sort((a, b) => scoreOf(b) - scoreOf(a))
    .slice(0, groups.topGroups)
    .flat();
}

function at(items: readonly number[], index: number): number {
  const item = items[index];
  if (item === undefined) throw new RangeError(`Expected an index below ${items.length}, not ${index}`);
  return item;
}
