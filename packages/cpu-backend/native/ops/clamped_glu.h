// clampedGlu: out = (up + 1) · gate · sigmoid(alpha · gate), where gate ≤ limit and |up| ≤ limit (clamped).
//   x [T, 2N] float32, columns 2n the gate and 2n + 1 the linear part; out [T, N], elsewhere than x.
#pragma once

#include <string.h>

#include "../simd/simd_math.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

inline F clampedGate(const float* pairs, const ClampedGluOp& op) {
  const F limit = set1(op.limit);
  F gate, up;
  loadPairs(pairs, gate, up);
  gate = min(limit, gate);
  up = max(sub(zero(), limit), min(limit, up));
  return mul(add(up, set1(1.0f)), gated(gate, mul(gate, set1(-op.alpha))));
}

void clampedGlu(const ClampedGluOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.out.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    const float* x = op.x.data + row * op.x.stride + 2 * first;
    float* out = op.out.data + row * op.out.stride + first;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(out + c, clampedGate(x + 2 * c, op));
    if (c < cols) {
      float pairs[2 * kLanes] = {};
      memcpy(pairs, x + 2 * c, 2 * (cols - c) * sizeof(float));
      storePartial(out + c, clampedGate(pairs, op), cols - c);
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
