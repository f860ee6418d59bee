// scale: x *= value; x [T, N] float32.
#pragma once

#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void scale(const ScaleOp& op, size_t begin, size_t end) {
  const F factor = set1(op.value);
  mapColumns(op.x, op.x, begin, end, [&](F x) { return mul(x, factor); });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
