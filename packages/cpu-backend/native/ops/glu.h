// glu: out = activation(gate) ⊙ up; gate, up, out [T, N] float32, `out` may be `gate` or `up`.
//   silu:      x / (1 + e⁻ˣ)
//   gelu:      x · erfc(−x/√2) / 2, one lane at a time through libm (few models use it)
//   gelu-tanh: x / (1 + e⁻²ᵘ), u = √(2/π) · (x + 0.044715 x³), which is x · (1 + tanh u) / 2
#pragma once

#include <math.h>

#include "../simd/simd_math.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** x / (1 + eᶻ). */
inline F gated(F x, F z) { return div(x, add(set1(1.0f), exponential(z))); }

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

template <F (*Activate)(F)>
void gluOf(const GluOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.gate.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    const float* gate = op.gate.data + row * op.gate.stride + first;
    const float* up = op.up.data + row * op.up.stride + first;
    float* out = op.out.data + row * op.out.stride + first;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(out + c, mul(Activate(load(gate + c)), load(up + c)));
    if (c < cols) {
      const size_t left = cols - c;
      storePartial(out + c, mul(Activate(loadPartial(gate + c, left)), loadPartial(up + c, left)), left);
    }
  });
}

void glu(const GluOp& op, size_t begin, size_t end) {
  switch (op.activation) {
    case Activation::kSilu:
      return gluOf<silu>(op, begin, end);
    case Activation::kGelu:
      return gluOf<gelu>(op, begin, end);
    case Activation::kGeluTanh:
      return gluOf<geluTanh>(op, begin, end);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
