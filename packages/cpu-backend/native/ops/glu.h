// glu: out = activation(gate) ⊙ up; gate, up, out [T, N] float32, `out` may be `gate` or `up`.
#pragma once

#include "activations.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

void glu(const GluOp& op, size_t begin, size_t end) {
  withActivation(op.activation, [&](auto activate) {
    mapColumns(op.gate, op.up, op.out, begin, end, [&](F gate, F up) { return mul(activate(gate), up); });
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
