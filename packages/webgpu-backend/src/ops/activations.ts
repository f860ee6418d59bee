// The functions that gates are made of. Arguments are bounded before exp() sees them: WGSL promises nothing for overflow.

/** WGSL. erf by Abramowitz & Stegun 7.1.26, off by at most 1.5e-7. */
export const ACTIVATIONS = `
fn safe_exp(x: f32) -> f32 { return exp(clamp(x, -87.0, 88.0)); }
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + safe_exp(-x)); }
fn softplus(x: f32) -> f32 {
  // log(1 + e) loses what e is below the spacing of 1, and is e there.
  let e = safe_exp(-abs(x));
  return max(x, 0.0) + select(log(1.0 + e), e - 0.5 * e * e, e < 1e-3);
}
fn safe_tanh(x: f32) -> f32 {
  let y = clamp(x, -15.0, 15.0);
  let s = y * y;
  let small = y * (1.0 + s * (-0.33333333 + s * (0.13333333 + s * (-0.053968254 + s * 0.021869489))));
  let large = sign(y) * (1.0 - 2.0 / (exp(2.0 * abs(y)) + 1.0));
  return select(large, small, abs(y) < 0.3);
}
fn erf(x: f32) -> f32 {
  let y = min(abs(x), 6.0);
  let t = 1.0 / (1.0 + 0.3275911 * y);
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-y * y));
}
fn silu(x: f32) -> f32 { return x * sigmoid(x); }
fn gelu(x: f32) -> f32 { return 0.5 * x * (1.0 + erf(x * 0.70710678)); }
fn gelu_tanh(x: f32) -> f32 {
  let y = clamp(x, -100.0, 100.0);
  return 0.5 * x * (1.0 + safe_tanh(0.79788456 * (y + 0.044715 * y * y * y)));
}
fn clamped_glu(gate: f32, up: f32, alpha: f32, limit: f32) -> f32 {
  let g = min(gate, limit);
  return (clamp(up, -limit, limit) + 1.0) * g * sigmoid(alpha * g);
}
`;
