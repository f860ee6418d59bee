// Functions over vectors, written once for every instruction set. NaN stays NaN: the second operand of min
// and max is what they return for it.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

/** eˣ = 2ⁿ · (1 + less). */
struct Exponent {
  F n;
  F less;
};

/**
 * Cody–Waite reduction x = n·ln2 + r with |r| ≤ ln2/2, Taylor polynomial of degree 7 for eʳ (remainder
 * r⁸/8! < 6e-9). |x| ≤ 104.
 */
inline Exponent reduce(F x) {
  const F n = roundNearest(mul(x, set1(1.44269504088896341f)));
  F r = fma(n, set1(-0.693145751953125f), x);  // ln2 rounded to 15 bits: n times it is exact
  r = fma(n, set1(-1.428606820309417e-6f), r);
  F p = set1(1.0f / 5040);
  p = fma(p, r, set1(1.0f / 720));
  p = fma(p, r, set1(1.0f / 120));
  p = fma(p, r, set1(1.0f / 24));
  p = fma(p, r, set1(1.0f / 6));
  p = fma(p, r, set1(0.5f));
  return {n, fma(p, mul(r, r), r)};
}

/** eˣ within 2 ulp; 0 and infinity where the result leaves the range. 2ⁿ comes in two factors so that
 * subnormal results come out right. */
inline F exponential(F x) {
  const Exponent e = reduce(max(set1(-104.0f), min(set1(89.0f), x)));
  const F half = roundNearest(mul(e.n, set1(0.5f)));
  return mul(mul(add(e.less, set1(1.0f)), pow2(half)), pow2(sub(e.n, half)));
}

/** tanh x = m / (m + 2) with m = e²ˣ − 1 = 2ⁿ · less + (2ⁿ − 1), which keeps its digits near 0. */
inline F hyperbolicTangent(F x) {
  const Exponent e = reduce(max(set1(-30.0f), min(set1(30.0f), add(x, x))));
  const F power = pow2(e.n);
  const F m = fma(power, e.less, sub(power, set1(1.0f)));
  return div(m, add(m, set1(2.0f)));
}

/** x / (1 + eᶻ). */
inline F gated(F x, F z) { return div(x, add(set1(1.0f), exponential(z))); }

inline F sigmoid(F x) { return gated(set1(1.0f), sub(zero(), x)); }

}  // namespace
}  // namespace airllm::AIRLLM_ISA
