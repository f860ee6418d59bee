// gatherRows: out[i, :] = x[indices[i], :], times scales[i] where there are scales.
//   x [R, C], out [T, C] float32; indices [T] uint32, each < R; scales [T] float32, or null.
#pragma once

#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

void gatherRows(const GatherRowsOp& op, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    const float* x = op.x.data + op.indices[i] * op.x.stride;
    float* out = op.out.data + i * op.out.stride;
    if (op.scales == nullptr) {
      memmove(out, x, op.out.cols * sizeof(float));
      continue;
    }
    for (size_t c = 0; c < op.out.cols; c++) out[c] = op.scales[i] * x[c];
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
