// What the norms share: groups of columns, counted row-major, and a weight or bias that is as long as a group
// or as a row.
#pragma once

#include "../simd/weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** body(x, out, first column) for groups [begin, end) of `width` columns. */
template <typename Body>
inline void forGroups(const Matrix& x, const Matrix& out, size_t width, size_t begin, size_t end, Body body) {
  const size_t groups = x.cols / width;
  for (size_t unit = begin; unit < end; unit++) {
    const size_t row = unit / groups;
    const size_t column = unit % groups * width;
    body(x.data + row * x.stride + column, out.data + row * out.stride + column, column);
  }
}

/** step(c, n, whole) for vectors of n columns that cover [0, width). */
template <typename Step>
inline void forVectors(size_t width, Step step) {
  size_t c = 0;
  for (; c + kLanes <= width; c += kLanes) step(c, kLanes, true);
  if (c < width) step(c, width - c, false);
}

/** Columns of a vector weight that belong to the group at `column`. */
template <DType D>
struct GroupFactors {
  WeightRows<D, 1> row;

  GroupFactors(const Weight& weight, size_t column, size_t groupWidth)
      : row(weight, 0, weight.cols == groupWidth ? 0 : column) {}
  F at(size_t c, size_t n) const { return n == kLanes ? row.load(0, c) : row.loadPartial(0, c, n); }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
