// rmsNorm: out = x / sqrt(mean(x²) + eps) · (weight + weightOffset) for every group of W columns of every
// row.
//   x, out [T, G · W] float32 (may be the same tensor); weight [W] or [G · W] of any dtype, or absent.
#pragma once

#include <math.h>

#include "norm_groups.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** 1 / sqrt(mean(x²) + eps). */
inline float inverseRootMeanSquare(const float* x, size_t width, float eps) {
  F squares[2] = {zero(), zero()};
  size_t c = 0;
  for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
    const F low = load(x + c);
    const F high = load(x + c + kLanes);
    squares[0] = fma(low, low, squares[0]);
    squares[1] = fma(high, high, squares[1]);
  }
  for (; c < width; c += kLanes) {
    const F tail = c + kLanes <= width ? load(x + c) : loadPartial(x + c, width - c);
    squares[0] = fma(tail, tail, squares[0]);
  }
  return 1.0f / sqrtf(sum(add(squares[0], squares[1])) / static_cast<float>(width) + eps);
}

/** factors(scaled, c, n) multiplies n normalised columns from c on of a group by their weights. */
template <typename Factors>
inline void normalizeGroup(const float* x, float* out, const RmsNormOp& op, Factors factors) {
  const F scale = set1(inverseRootMeanSquare(x, op.groupWidth, op.eps));
  forVectors(op.groupWidth, [&](size_t c, size_t n, bool whole) {
    const F scaled = mul(whole ? load(x + c) : loadPartial(x + c, n), scale);
    if (whole) {
      store(out + c, factors(scaled, c, n));
    } else {
      storePartial(out + c, factors(scaled, c, n), n);
    }
  });
}

void rmsNorm(const RmsNormOp& op, size_t begin, size_t end) {
  if (op.weight.data == nullptr) {
    return forGroups(op.x, op.out, op.groupWidth, begin, end, [&](const float* x, float* out, size_t) {
      normalizeGroup(x, out, op, [](F scaled, size_t, size_t) { return scaled; });
    });
  }
  const F offset = set1(op.weightOffset);
  withDType(op.weight.dtype, [&](auto tag) {
    forGroups(op.x, op.out, op.groupWidth, begin, end, [&](const float* x, float* out, size_t column) {
      const GroupFactors<decltype(tag)::value> weight(op.weight, column, op.groupWidth);
      normalizeGroup(x, out, op,
                     [&](F scaled, size_t c, size_t n) { return mul(scaled, add(weight.at(c, n), offset)); });
    });
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
