// linear over a packed weight, in the order of summation of linear.h.
//   T = 1      gemv:   steps of kPackedRows rows become vectors that are multiplied at once, and never memory
//   otherwise  panels: a panel of linear.h is decoded once and used by all rows of x
#pragma once

#include "../formats/decode_rows.h"
#include "linear_panels.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows of the weight whose sums run side by side. */
constexpr size_t kPackedRows = 8;
/** Bytes that a row's codes are asked for ahead of time. */
constexpr size_t kPackedPrefetch = 512;

/** Output [n, n + N). scratch: what is left of the rows after whole steps. */
template <size_t N, typename Format>
inline void packedGemvRows(const LinearOp& op, const Format& format, size_t n, float* scratch) {
  constexpr size_t kColumns = Format::kColumns;
  const size_t depth = op.weight.cols;
  typename Format::Row rows[N];
  AIRLLM_UNROLL for (size_t i = 0; i < N; i++) rows[i] = format.row(n + i, 0);
  Tile<N, 1> tile;
  clear(tile);
  const size_t rowBytes = bytesOfColumns(op.weight.dtype, depth);
  const size_t stepBytes = bytesOfColumns(op.weight.dtype, kColumns);
  size_t k = 0;
  for (size_t at = 0; k + kColumns <= depth; k += kColumns, at += stepBytes) {
    const float* x = op.x.data + k;
    const size_t ahead = prefetchDistance(at, rowBytes, N, kPackedPrefetch);
    AIRLLM_UNROLL for (size_t i = 0; i < N; i++) {
      format.step(rows[i], ahead,
                  [&](size_t offset, F value) { tile.acc[i] = fma(value, load(x + offset), tile.acc[i]); });
    }
  }
  if (k < depth) {
    for (size_t i = 0; i < N; i++) decodeOneByOne(op.weight, n + i, k, depth - k, scratch + i * kColumns);
    const WeightRows<DType::kF32, N> rest(reinterpret_cast<const uint8_t*>(scratch),
                                          kColumns * sizeof(float));
    accumulateTile(rest, op.x.data + k, 0, 0, depth - k, tile);
  }
  for (size_t i = 0; i < N; i++) finish(op, 0, n + i, tile.acc[i]);
}

template <typename Format>
AIRLLM_NOINLINE void packedGemv(const LinearOp& op, const Format& format, size_t begin, size_t end,
                                float* scratch) {
  size_t n = begin;
  for (; n + kPackedRows <= end; n += kPackedRows) packedGemvRows<kPackedRows>(op, format, n, scratch);
  for (; n < end; n++) packedGemvRows<1>(op, format, n, scratch);
}

void packedLinear(const LinearOp& op, size_t begin, size_t end, float* scratch) {
  if (op.x.rows == 1) {
    const auto gemv = [&](const auto& format) { packedGemv(op, format, begin, end, scratch); };
    if (withSteps(op.weight, gemv)) return;
  }
  const size_t rowBytes = bytesOfColumns(op.weight.dtype, op.weight.cols);
  // Of the rows of a block, whose panels come in the order of k.
  size_t passed[kBlockWeights] = {};
  const size_t stepBytes = bytesOfColumns(op.weight.dtype, kPanelDepth) / (kPanelDepth / kPanelStep);
  panels(op, {op.weight.data, rowBytes, stepBytes}, begin, end, scratch,
         [&](size_t n, size_t count, size_t k0, size_t depth, float* panel) {
           decodeRows(op.weight, n, count, k0, depth, panel, kPanelPitch,
                      passed + (n - begin) % kBlockWeights);
         });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
