// Units of the element-wise ops: kColumnBlock columns of one row, counted row-major; and loops over their
// vectors.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

/** Calls body(row, first column, columns) for units [begin, end) of a tensor with `cols` columns. */
template <typename Body>
inline void forColumnBlocks(size_t cols, size_t begin, size_t end, Body body) {
  const size_t perRow = (cols + kColumnBlock - 1) / kColumnBlock;
  for (size_t unit = begin; unit < end; unit++) {
    const size_t first = unit % perRow * kColumnBlock;
    body(unit / perRow, first, cols - first < kColumnBlock ? cols - first : kColumnBlock);
  }
}

/** out = function(x); `out` may be `x`. */
template <typename Function>
inline void mapColumns(const Matrix& x, const Matrix& out, size_t begin, size_t end, Function function) {
  forColumnBlocks(out.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    const float* from = x.data + row * x.stride + first;
    float* to = out.data + row * out.stride + first;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(to + c, function(load(from + c)));
    if (c < cols) storePartial(to + c, function(loadPartial(from + c, cols - c)), cols - c);
  });
}

/** out = function(a, b); `out` may be either. */
template <typename Function>
inline void mapColumns(const Matrix& a, const Matrix& b, const Matrix& out, size_t begin, size_t end,
                       Function function) {
  forColumnBlocks(out.cols, begin, end, [&](size_t row, size_t first, size_t cols) {
    const float* left = a.data + row * a.stride + first;
    const float* right = b.data + row * b.stride + first;
    float* to = out.data + row * out.stride + first;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(to + c, function(load(left + c), load(right + c)));
    if (c < cols) {
      const size_t n = cols - c;
      storePartial(to + c, function(loadPartial(left + c, n), loadPartial(right + c, n)), n);
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
