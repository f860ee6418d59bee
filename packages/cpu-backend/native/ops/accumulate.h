// accumulate: x += y; x, y [T, N] float32.
#pragma once

#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void accumulate(const AccumulateOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.x.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    float* x = op.x.data + row * op.x.stride + first;
    const float* y = op.y.data + row * op.y.stride + first;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(x + c, add(load(x + c), load(y + c)));
    for (; c < cols; c++) x[c] += y[c];
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
