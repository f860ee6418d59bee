// sigmoidGate: out = x ⊙ sigmoid(gate); x, out [T, N], gate [T, N] or [T, 1] float32, `out` may be `x`.
#pragma once

#include "../simd/simd_math.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** One gate per row. */
inline void gateRows(const SigmoidGateOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.x.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    float lanes[kLanes];
    store(lanes, sigmoid(set1(op.gate.data[row * op.gate.stride])));
    const float* x = op.x.data + row * op.x.stride + first;
    float* out = op.out.data + row * op.out.stride + first;
    for (size_t c = 0; c < cols; c++) out[c] = x[c] * lanes[0];
  });
}

void sigmoidGate(const SigmoidGateOp& op, size_t begin, size_t end) {
  if (op.gate.cols != op.x.cols) return gateRows(op, begin, end);
  mapColumns(op.x, op.gate, op.out, begin, end, [](F x, F gate) { return mul(x, sigmoid(gate)); });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
