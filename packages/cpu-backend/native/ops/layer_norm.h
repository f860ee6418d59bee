// layerNorm: out = (x − mean) / sqrt(variance + eps) · weight + bias for every group of W columns of every
// row.
//   x, out [T, G · W] float32 (may be the same tensor); weight, bias [W] or [G · W] of any dtype, or absent.
// The variance is the mean square of what is left after subtracting the mean, which loses no digits to a
// large mean.
#pragma once

#include <math.h>

#include "norm_groups.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** out = (x − mean) / sqrt(variance + eps). */
inline void standardize(const float* x, float* out, size_t width, float eps) {
  F total = zero();
  forVectors(width, [&](size_t c, size_t n, bool whole) {
    total = add(total, whole ? load(x + c) : loadPartial(x + c, n));
  });
  const float mean = sum(total) / static_cast<float>(width);
  F squares = zero();
  size_t c = 0;
  for (; c + kLanes <= width; c += kLanes) {
    const F centred = sub(load(x + c), set1(mean));
    squares = fma(centred, centred, squares);
  }
  float rest = 0;
  for (; c < width; c++) rest += (x[c] - mean) * (x[c] - mean);
  const float variance = (sum(squares) + rest) / static_cast<float>(width);
  const F scale = set1(1.0f / sqrtf(variance + eps));
  forVectors(width, [&](size_t c, size_t n, bool whole) {
    const F centred = sub(whole ? load(x + c) : loadPartial(x + c, n), set1(mean));
    if (whole) {
      store(out + c, mul(centred, scale));
    } else {
      storePartial(out + c, mul(centred, scale), n);
    }
  });
}

/** out = combine(out, vector) column by column; nothing when the vector is absent. */
template <F (*Combine)(F, F)>
inline void combineColumns(const Weight& vector, size_t column, size_t width, float* out) {
  if (vector.data == nullptr) return;
  withDType(vector.dtype, [&](auto tag) {
    const GroupFactors<decltype(tag)::value> factors(vector, column, width);
    forVectors(width, [&](size_t c, size_t n, bool whole) {
      if (whole) {
        store(out + c, Combine(load(out + c), factors.at(c, n)));
      } else {
        storePartial(out + c, Combine(loadPartial(out + c, n), factors.at(c, n)), n);
      }
    });
  });
}

void layerNorm(const LayerNormOp& op, size_t begin, size_t end) {
  forGroups(op.x, op.out, op.groupWidth, begin, end, [&](const float* x, float* out, size_t column) {
    standardize(x, out, op.groupWidth, op.eps);
    combineColumns<mul>(op.weight, column, op.groupWidth, out);
    combineColumns<add>(op.bias, column, op.groupWidth, out);
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
