/** Least squares: y ≈ slope · x + intercept, and the share of the variance of y that this explains. */
export function fitLine(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const sum = (term) => points.reduce((total, point) => total + term(point), 0);
  const slope = sum(({ x, y }) => (x - meanX) * (y - meanY)) / sum(({ x }) => (x - meanX) ** 2);
  const intercept = meanY - slope * meanX;
  const residual = sum(({ x, y }) => (y - slope * x - intercept) ** 2);
  return { slope, intercept, r2: 1 - residual / sum(({ y }) => (y - meanY) ** 2) };
}
