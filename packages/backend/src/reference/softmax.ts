// The softmax of the reference backend.

/**
 * exp(sᵢ) / (Σⱼ exp(sⱼ) + exp(sink)). The sink is a score whose share is given to nothing; −Infinity for none.
 * Subtracting the largest score changes nothing but keeps exp() finite.
 */
export function softmax(scores: readonly number[], sink = -Infinity): number[] {
  const largest = scores.reduce((a, b) => Math.max(a, b), sink);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((a, b) => a + b, Math.exp(sink - largest));
  return weights.map((weight) => weight / total);
}
