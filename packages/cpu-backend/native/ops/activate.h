// activate: out = activation(x); x, out [T, N] float32, `out` may be `x`.
#pragma once

#include "activations.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void activate(const ActivateOp& op, size_t begin, size_t end) {
  withActivation(op.activation, [&](auto function) { mapColumns(op.x, op.out, begin, end, function); });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
