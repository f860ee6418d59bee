// From router logits to experts: which rows go to which expert, and with what weight.

import type { RoutingRule } from '@airllm/backend';

/** The rows of one pass that an expert computes. */
export interface ExpertRows {
  readonly expert: number;
  readonly rows: Uint32Array;
  /** Per row, the weight of this expert's output. */
  readonly scales: Float32Array;
}

/**
 * Softmax over all experts, the `topK` most probable (lower index first on ties), normalised if asked.
 *
 * @param logits [rows, experts], row-major
 * @returns the experts at least one row chose, by ascending index: sums over experts then have one order
 * whatever else is in the batch. Source: transformers, MixtralTopKRouter.
 */
export function routeExperts(logits: Float32Array, experts: number, rule: RoutingRule): ExpertRows[] {
  const chosen: { rows: number[]; scales: number[] }[] = Array.from({ length: experts }, () => ({
    rows: [],
    scales: [],
  }));
  for (let row = 0; row * experts < logits.length; row++) {
    for (const { expert, scale } of routeRow(logits.subarray(row * experts, (row + 1) * experts), rule)) {
      chosen[expert]?.rows.push(row);
      chosen[expert]?.scales.push(scale);
    }
  }
  return chosen.flatMap(({ rows, scales }, expert) =>
    rows.length === 0 ? [] : [{ expert, rows: Uint32Array.from(rows), scales: Float32Array.from(scales) }],
  );
}

function routeRow(logits: Float32Array, rule: RoutingRule): { expert: number; scale: number }[] {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const exps = Array.from(logits, (logit) => Math.exp(logit - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  const top = exps
    .map((exp, expert) => ({ expert, scale: exp / sum }))
    .sort((a, b) => b.scale - a.scale || a.expert - b.expert)
    .slice(0, rule.topK);
  const kept = rule.normalizeTopK ? top.reduce((total, { scale }) => total + scale, 0) : 1;
  return top.map(({ expert, scale }) => ({ expert, scale: scale / kept }));
}
