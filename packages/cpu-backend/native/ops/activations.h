// The activation functions over vectors.
//   silu:      x / (1 + e⁻ˣ)
//   gelu:      x · erfc(−x/√2) / 2, one lane at a time through libm (few models use it)
//   gelu-tanh: x / (1 + e⁻²ᵘ), u = √(2/π) · (x + 0.044715 x³), which is x · (1 + tanh u) / 2
#pragma once

#include <math.h>

#include "../simd/simd_math.h"

namespace airllm::AIRLLM_ISA {
namespace {

inline F silu(F x) { return gated(x, sub(zero(), x)); }

inline F geluTanh(F x) {
  const F cubic = fma(mul(x, x), mul(x, set1(0.044715f)), x);
  return gated(x, mul(cubic, set1(-1.5957691216057308f)));
}

inline F gelu(F x) {
  float lanes[kLanes];
  store(lanes, x);
  for (size_t i = 0; i < kLanes; i++) {
    lanes[i] = 0.5f * lanes[i] * erfcf(-0.70710678118654752f * lanes[i]);
  }
  return load(lanes);
}

/** body(function) with the function that `activation` names. */
template <typename Body>
inline void withActivation(Activation activation, Body body) {
  switch (activation) {
    case Activation::kSilu:
      return body([](F x) { return silu(x); });
    case Activation::kGelu:
      return body([](F x) { return gelu(x); });
    case Activation::kGeluTanh:
      return body([](F x) { return geluTanh(x); });
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
