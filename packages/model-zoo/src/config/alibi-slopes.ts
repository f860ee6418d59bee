// Slopes of linear attention biases. Source: ALiBi (Press et al. 2022, arXiv 2108.12409), get_slopes.

/** One per head: 2^(−8/n), 2^(−16/n) …; heads beyond a power of two take every other slope of the doubled series. */
export function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const series = (count: number): number[] =>
    Array.from({ length: count }, (_, head) => 2 ** ((-8 * (head + 1)) / count));
  const between = series(2 * power).filter((_, head) => head % 2 === 0);
  return [...series(power), ...between].slice(0, heads);
}
