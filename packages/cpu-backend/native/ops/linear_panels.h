// The part of linear that sees float32 alone: register tiles over panels of widened or decoded weight rows,
// and the one end of every sum. In what order products are summed is said in linear.h.
#pragma once

#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kWeightTile = 4;
constexpr size_t kGemvRows = 8;
/** Panel of the blocked path: weight rows × k widened once, used by kPanelRows rows of x. */
constexpr size_t kPanelWeights = 32;
constexpr size_t kPanelDepth = 1024;
constexpr size_t kPanelRows = 96;
static_assert(kPanelWeights * (kPanelDepth + kPanelRows * kLanes) <= kScratchFloats);

/** The one end of every sum. */
inline void finish(const LinearOp& op, size_t t, size_t n, F acc) {
  const float total = sum(acc);
  op.out.data[t * op.out.stride + n] = op.bias.data == nullptr ? total : total + valueAt(op.bias, 0, n);
}

/** One register tile of one panel: accumulators come from and go back to `carried` [N][T] vectors. */
template <size_t N, size_t T>
inline void panelTile(const float* panel, const float* x, size_t xStride, size_t depth, bool first,
                      float* carried) {
  Tile<N, T> tile;
  AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) tile.acc[i] = first ? zero() : load(carried + i * kLanes);
  const WeightRows<DType::kF32, N> w(reinterpret_cast<const uint8_t*>(panel), kPanelDepth * sizeof(float));
  accumulateTile(w, x, xStride, 0, depth, tile);
  AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) store(carried + i * kLanes, tile.acc[i]);
}

/** `count` ≤ kPanelWeights rows of the panel against T rows of x. carried: [count][T] vectors, tile by tile.
 */
template <size_t T>
inline void panelRows(const float* panel, size_t count, const float* x, size_t xStride, size_t depth,
                      bool first, float* carried) {
  size_t n = 0;
  for (; n + kWeightTile <= count; n += kWeightTile) {
    panelTile<kWeightTile, T>(panel + n * kPanelDepth, x, xStride, depth, first, carried + n * T * kLanes);
  }
  for (; n < count; n++) {
    panelTile<1, T>(panel + n * kPanelDepth, x, xStride, depth, first, carried + n * T * kLanes);
  }
}

/**
 * widen(n, count, k0, depth, panel) fills the panel. scratch: widened panel [kPanelWeights, kPanelDepth],
 * then carried accumulators.
 */
template <typename Widen>
void panels(const LinearOp& op, size_t begin, size_t end, float* scratch, Widen widen) {
  float* panel = scratch;
  float* carried = scratch + kPanelWeights * kPanelDepth;
  for (size_t t0 = 0; t0 < op.x.rows; t0 += kPanelRows) {
    const size_t rows = op.x.rows - t0 < kPanelRows ? op.x.rows - t0 : kPanelRows;
    for (size_t n0 = begin; n0 < end; n0 += kPanelWeights) {
      const size_t count = end - n0 < kPanelWeights ? end - n0 : kPanelWeights;
      for (size_t k0 = 0; k0 < op.weight.cols; k0 += kPanelDepth) {
        const size_t left = op.weight.cols - k0;
        const size_t depth = left < kPanelDepth ? left : kPanelDepth;
        widen(n0, count, k0, depth, panel);
        const float* x = op.x.data + t0 * op.x.stride + k0;
        size_t t = 0;
        for (; t + kTileRows <= rows; t += kTileRows) {
          panelRows<kTileRows>(panel, count, x + t * op.x.stride, op.x.stride, depth, k0 == 0,
                               carried + t * count * kLanes);
        }
        for (; t < rows; t++) {
          panelRows<1>(panel, count, x + t * op.x.stride, op.x.stride, depth, k0 == 0,
                       carried + t * count * kLanes);
        }
      }
      size_t t = 0;
      const size_t whole = rows - rows % kTileRows;
      for (; t < rows; t++) {
        const size_t tile = t < whole ? kTileRows : 1;
        const size_t first = t - (t < whole ? t % kTileRows : 0);
        for (size_t n = 0; n < count; n++) {
          finish(op, t0 + t, n0 + n, load(carried + (first * count + n * tile + (t - first)) * kLanes));
        }
      }
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
