// ungroup: out[t, g · count + j] = x[t, g · groupWidth + start + j].
//   x [T, G · groupWidth], out [T, G · count] float32, elsewhere than x. Units are rows.
#pragma once

#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

void ungroup(const UngroupOp& op, size_t begin, size_t end) {
  const size_t groups = op.x.cols / op.groupWidth;
  for (size_t row = begin; row < end; row++) {
    const float* x = op.x.data + row * op.x.stride + op.start;
    float* out = op.out.data + row * op.out.stride;
    for (size_t g = 0; g < groups; g++) {
      memmove(out + g * op.count, x + g * op.groupWidth, op.count * sizeof(float));
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
