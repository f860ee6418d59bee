// Units of the element-wise ops: kColumnBlock columns of one row, counted row-major.
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

}  // namespace
}  // namespace airllm::AIRLLM_ISA
