// accumulate: x += y; x, y [T, N] float32.
#pragma once

#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void accumulate(const AccumulateOp& op, size_t begin, size_t end) {
  mapColumns(op.x, op.y, op.x, begin, end, [](F x, F y) { return add(x, y); });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
