// linear: out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n], or divided by the length of weight row n.
//   x      [T, K] float32, rows `stride` apart
//   weight [N, K] of any dtype, rows back to back at any byte address, used where it lies; a value of f8e4m3
//   is
//          multiplied by its scale and rounded to float32 before it is multiplied by x
//   bias   [N] of any dtype, or absent
//   out    [T, N] float32, rows `stride` apart
//
// One order of summation for every T and every split of N: an output is ONE vector accumulator over k in
// steps of kLanes (the tail padded with zeros), then sum(), then the bias or the division. So a row never
// depends on its batch. The three paths below only differ in which outputs they keep in registers together
// and in when they widen the weight:
//   T = 1      gemv:   8 weight rows at once, streamed from memory
//   T ≤ 12     direct: 4 weight rows × up to kTileRows rows of x, widened on the fly, read from memory once
//   otherwise  panels: see linear_panels.h; the accumulators (vectors, not sums) are carried exactly from
//              one panel of k to the next
#pragma once

#include <math.h>

#include "packed_linear.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kDirectRows = 12;
constexpr size_t kGemvRows = 8;
/** Rows of the weight in a register tile with kTileRows rows of x, read from memory. */
constexpr size_t kWeightTile = 4;
/** Shortest length that a row is divided by, so that a row of zeros stays one. */
constexpr float kShortestRow = 1e-12f;
/** Outputs [t, t + T) × [n, n + N), all of k at once, straight from the weight. */
template <DType D, size_t N, size_t T>
inline void directTile(const LinearOp& op, size_t n, size_t t) {
  const WeightRows<D, N> w(op.weight, n);
  Tile<N, T> tile;
  clear(tile);
  accumulateTile<D, true>(w, op.x.data + t * op.x.stride, op.x.stride, 0, op.weight.cols, tile);
  for (size_t i = 0; i < N * T; i++) finish(op, t + i % T, n + i / T, tile.acc[i]);
}

/** All rows of x against weight rows [n, n + N): whole tiles, then one of the rows that are left. */
template <DType D, size_t N>
inline void directRows(const LinearOp& op, size_t n) {
  size_t t = 0;
  for (; t + kTileRows <= op.x.rows; t += kTileRows) directTile<D, N, kTileRows>(op, n, t);
  const size_t left = op.x.rows - t;
  if constexpr (kTileRows > 3) {
    if (left == 5) return directTile<D, N, 5>(op, n, t);
    if (left == 4) return directTile<D, N, 4>(op, n, t);
    if (left == 3) return directTile<D, N, 3>(op, n, t);
  }
  if constexpr (kTileRows > 1) {
    if (left == 2) return directTile<D, N, 2>(op, n, t);
  }
  if (left == 1) directTile<D, N, 1>(op, n, t);
}

/** T = 1: kGemvRows streams of the weight, each asked for kPrefetchBytes ahead, into the next rows. */
template <DType D>
void gemv(const LinearOp& op, size_t begin, size_t end) {
  const size_t depth = op.weight.cols;
  constexpr size_t kLine = 64 / kBytes<D>;  // values of a cache line
  size_t n = begin;
  for (; n + kGemvRows <= end; n += kGemvRows) {
    const WeightRows<D, kGemvRows> w(op.weight, n);
    Tile<kGemvRows, 1> tile;
    clear(tile);
    size_t k = 0;
    for (; k + kLine <= depth; k += kLine) {
      const size_t ahead = prefetchDistance(k * kBytes<D>, w.rowBytes, kGemvRows, kPrefetchBytes);
      AIRLLM_UNROLL for (size_t i = 0; i < kGemvRows; i++) { prefetch(w.at(i, k) + ahead); }
      if (!w.sharesScale(k, kLine)) {
        accumulateTile(w, op.x.data, 0, k, k + kLine, tile);
        continue;
      }
      F scales[kGemvRows];
      AIRLLM_UNROLL for (size_t i = 0; i < kGemvRows; i++) scales[i] = w.scale(i, k);
      AIRLLM_UNROLL for (size_t step = 0; step < kLine; step += kLanes) {
        const F x = load(op.x.data + k + step);
        AIRLLM_UNROLL for (size_t i = 0; i < kGemvRows; i++) {
          tile.acc[i] = fma(w.loadScaled(i, k + step, scales[i]), x, tile.acc[i]);
        }
      }
    }
    accumulateTile(w, op.x.data, 0, k, depth, tile);
    for (size_t i = 0; i < kGemvRows; i++) finish(op, 0, n + i, tile.acc[i]);
  }
  for (; n < end; n++) directTile<D, 1, 1>(op, n, 0);
}

template <DType D>
void direct(const LinearOp& op, size_t begin, size_t end) {
  size_t n = begin;
  for (; n + kWeightTile <= end; n += kWeightTile) directRows<D, kWeightTile>(op, n);
  for (; n < end; n++) directRows<D, 1>(op, n);
}

/** Widens columns [k0, k0 + depth) of weight rows [n, n + count) to float32, rows kPanelPitch apart. */
template <DType D>
void widenPanel(const Weight& weight, size_t n, size_t count, size_t k0, size_t depth, float* panel) {
  for (size_t i = 0; i < count; i++) {
    const WeightRows<D, 1> from(weight, n + i, k0);
    float* to = panel + i * kPanelPitch;
    size_t k = 0;
    if constexpr (D == DType::kBF16) {
      for (; k + 2 * kLanes <= depth; k += 2 * kLanes) widenTwo(from.at(0, k), to + k);
    }
    for (; k + kLanes <= depth; k += kLanes) store(to + k, from.load(0, k));
    if (k < depth) storePartial(to + k, from.loadPartial(0, k, depth - k), depth - k);
  }
}

template <DType D>
void linearOf(const LinearOp& op, size_t begin, size_t end, float* scratch) {
  if (op.x.rows == 1) return gemv<D>(op, begin, end);
  if (op.x.rows <= kDirectRows) return direct<D>(op, begin, end);
  const size_t rowBytes = op.weight.cols * kBytes<D>;
  panels(op, {op.weight.data, rowBytes, kPanelStep * kBytes<D>}, begin, end, scratch,
         [&](size_t n, size_t count, size_t k0, size_t depth, float* panel) {
           widenPanel<D>(op.weight, n, count, k0, depth, panel);
         });
}

/** Outputs [n, n + 1) divided by the length of that weight row, which was read a moment ago. */
template <DType D>
void divideByLength(const LinearOp& op, size_t n) {
  const WeightRows<D, 1> row(op.weight, n);
  F squares = zero();
  size_t k = 0;
  for (; k + kLanes <= op.weight.cols; k += kLanes) {
    const F values = row.load(0, k);
    squares = fma(values, values, squares);
  }
  if (k < op.weight.cols) {
    const F values = row.loadPartial(0, k, op.weight.cols - k);
    squares = fma(values, values, squares);
  }
  const float length = sqrtf(sum(squares));
  const float divisor = length > kShortestRow || length != length ? length : kShortestRow;
  for (size_t t = 0; t < op.x.rows; t++) op.out.data[t * op.out.stride + n] /= divisor;
}

void linear(const LinearOp& op, size_t begin, size_t end, float* scratch) {
  if (isPacked(op.weight.dtype)) return packedLinear(op, begin, end, scratch);
  withDType(op.weight.dtype, [&](auto tag) {
    constexpr DType D = decltype(tag)::value;
    if (!op.normalizeRows) return linearOf<D>(op, begin, end, scratch);
    for (size_t n = begin; n < end; n += kBlockWeights) {
      const size_t last = end - n < kBlockWeights ? end : n + kBlockWeights;
      linearOf<D>(op, n, last, scratch);
      for (size_t row = n; row < last; row++) divideByLength<D>(op, row);
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
