// fill: x = value; x [T, N] float32.
#pragma once

#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void fill(const FillOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.x.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    float* x = op.x.data + row * op.x.stride + first;
    for (size_t c = 0; c < cols; c++) x[c] = op.value;
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
