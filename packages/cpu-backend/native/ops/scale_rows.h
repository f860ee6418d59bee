// scaleRows: x[t, :] *= scales[t, 0]; x [T, N], scales [T, 1] float32.
#pragma once

#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void scaleRows(const ScaleRowsOp& op, size_t begin, size_t end) {
  forColumnBlocks(op.x.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    const float factor = op.scales.data[row * op.scales.stride];
    float* x = op.x.data + row * op.x.stride + first;
    for (size_t c = 0; c < cols; c++) x[c] *= factor;
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
