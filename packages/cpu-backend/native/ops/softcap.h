// softcap: x = cap · tanh(x / cap); x [T, N] float32.
#pragma once

#include "../simd/simd_math.h"
#include "column_blocks.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Of single values too: the scores of attention. */
inline F capped(F x, F cap) { return mul(cap, hyperbolicTangent(div(x, cap))); }

void softcap(const SoftcapOp& op, size_t begin, size_t end) {
  const F cap = set1(op.cap);
  mapColumns(op.x, op.x, begin, end, [&](F x) { return capped(x, cap); });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
