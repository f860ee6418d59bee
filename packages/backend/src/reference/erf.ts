// The error function in float64, for the exact GELU.

/** Beyond this |erf(x)| is 1 in float64: 1 − erf(6) = 2.2e-17. */
const SATURATION = 6;

/** Spacing of float64 at 1: smaller terms no longer change the sum. */
const EPSILON = 2 ** -52;

/**
 * erf(x) = 2/√π · e^(−x²) · Σₙ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)) (Abramowitz & Stegun 7.1.6). All terms
 * have one sign, so nothing cancels.
 */
export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x >= SATURATION) return 1;
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
