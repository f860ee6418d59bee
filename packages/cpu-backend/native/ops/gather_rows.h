// gatherRows: out[i, :] = x[indices[i], :]; x [R, C], out [T, C] float32; indices [T] uint32, each < R.
#pragma once

#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

void gatherRows(const GatherRowsOp& op, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) {
    memmove(op.out.data + i * op.out.stride, op.x.data + op.indices[i] * op.x.stride,
            op.out.cols * sizeof(float));
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
