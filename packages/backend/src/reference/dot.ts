// The inner product of the reference backend: one order of summation, float64.

/** Σᵢ a[aStart + i] · b[bStart + i] for i < count. */
export function dot(
  [a, aStart]: readonly [Float64Array, number],
  [b, bStart]: readonly [Float32Array, number],
  count: number,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (a[aStart + i] ?? 0) * (b[bStart + i] ?? 0);
  return sum;
}
