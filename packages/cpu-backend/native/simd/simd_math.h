// Functions over vectors, written once for every instruction set.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

/**
 * eˣ within 2 ulp; 0 and infinity where the result leaves the range, NaN may give any value.
 * Cody–Waite reduction x = n·ln2 + r with |r| ≤ ln2/2, Taylor polynomial of degree 7 for eʳ (remainder
 * r⁸/8! < 6e-9), and 2ⁿ in two factors so that subnormal results come out right.
 */
inline F exponential(F x) {
  const F clamped = max(min(x, set1(89.0f)), set1(-104.0f));
  const F n = roundNearest(mul(clamped, set1(1.44269504088896341f)));
  F r = fma(n, set1(-0.693145751953125f), clamped);  // ln2 rounded to 15 bits: n times it is exact
  r = fma(n, set1(-1.428606820309417e-6f), r);
  F p = set1(1.0f / 5040);
  p = fma(p, r, set1(1.0f / 720));
  p = fma(p, r, set1(1.0f / 120));
  p = fma(p, r, set1(1.0f / 24));
  p = fma(p, r, set1(1.0f / 6));
  p = fma(p, r, set1(0.5f));
  p = fma(p, mul(r, r), r);
  p = add(p, set1(1.0f));
  const F half = roundNearest(mul(n, set1(0.5f)));
  return mul(mul(p, pow2(half)), pow2(sub(n, half)));
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
