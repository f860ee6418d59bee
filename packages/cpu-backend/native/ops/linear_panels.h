// The part of linear that sees float32 alone: register tiles over panels of widened or decoded weight rows,
// and the one end of every sum. In what order products are summed is said in linear.h.
//
//   outputs in blocks of kBlockRows × kBlockWeights, whose accumulators are carried over the panels of k:
//     a panel [kPanelWeights, kPanelDepth] of the weight, widened into the first-level cache
//       times all rows of x of the block, kPanelTile at a time
//         while the rows of the weight that make the next panel are asked for from memory
#pragma once

#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows of x in a register tile with kTileRows rows of a panel. */
constexpr size_t kPanelTile = 4;
/** Two register tiles: rows of x come from the second-level cache half as often as with one. */
constexpr size_t kPanelWeights = 2 * kTileRows;
/** A panel, the rows of x of a tile and the sums fit 48 KB together. */
constexpr size_t kPanelDepth = 512;
/** Floats from one row of a panel to the next: all would share cache sets if it were a power of two. */
constexpr size_t kPanelPitch = kPanelDepth + 16;
/** Outputs whose accumulators are carried together. */
constexpr size_t kBlockRows = 112;
constexpr size_t kBlockWeights = 48;
static_assert(kPanelWeights * kPanelPitch + kBlockRows * kBlockWeights * kLanes <= kScratchFloats);
static_assert(kBlockRows % kPanelTile == 0 && kBlockWeights % kPanelWeights == 0);

/** The one end of every sum. */
inline void finish(const LinearOp& op, size_t t, size_t n, F acc) {
  const float total = sum(acc);
  op.out.data[t * op.out.stride + n] = op.bias.data == nullptr ? total : total + valueAt(op.bias, 0, n);
}

/** Columns that a tile takes at a time, and that are asked for at a time. */
constexpr size_t kPanelStep = 2 * kLanes;

/** Where the bytes of a weight lie: `column` of `row`, about, and how far apart kPanelStep columns are. */
struct WeightBytes {
  const uint8_t* data;
  size_t rowBytes;
  size_t stepBytes;

  const uint8_t* at(size_t row, size_t column) const {
    return data + row * rowBytes + column / kPanelStep * stepBytes;
  }
};

/** A widened panel and what becomes of the sums over it. */
struct Panel {
  const float* values;
  /** Its rows are [row, row + rows) of the weight. */
  size_t row;
  size_t rows;
  size_t depth;
  bool first;
  bool last;
  /** Of its rows, or null. */
  const float* bias;
  /** Bytes of the next panel, and where they lie from. */
  const uint8_t* next;
  WeightBytes bytes;
};

/** Outputs [t, t + T) × [n, n + N) by the additions of `finish`. bias: of these n, or null. */
template <size_t N, size_t T>
inline void finishTile(const Matrix& out, size_t t, size_t n, const Tile<N, T>& tile, const float* bias) {
  float* to = out.data + t * out.stride + n;
  AIRLLM_UNROLL for (size_t i = 0; i < N; i++) {
    float totals[T];
    if constexpr (T == 4) {
      sumFour(tile.acc[i * T], tile.acc[i * T + 1], tile.acc[i * T + 2], tile.acc[i * T + 3], totals);
    } else {
      for (size_t j = 0; j < T; j++) totals[j] = sum(tile.acc[i * T + j]);
    }
    for (size_t j = 0; j < T; j++) {
      to[j * out.stride + i] = bias == nullptr ? totals[j] : totals[j] + bias[i];
    }
  }
}

/**
 * Rows [t, t + T) of x, columns of the panel, times N of its rows from `n` on. carried: [N][T] vectors.
 * `Ask`: a row of the next panel is asked for meanwhile, from `ahead` on.
 */
template <size_t N, size_t T, bool Ask>
AIRLLM_NOINLINE void panelTile(const Panel& panel, size_t n, const Matrix& x, size_t t, const uint8_t* ahead,
                               float* carried, const Matrix& out) {
  if (panel.last) {
    for (size_t j = 0; j < T; j++) prefetchToWrite(out.data + (t + j) * out.stride + panel.row + n);
  }
  Tile<N, T> tile;
  if (panel.first) {
    clear(tile);
  } else {
    AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) tile.acc[i] = load(carried + i * kLanes);
  }
  const WeightRows<DType::kF32, N> w(reinterpret_cast<const uint8_t*>(panel.values + n * kPanelPitch),
                                     kPanelPitch * sizeof(float));
  const float* rows = x.data + t * x.stride;
  const size_t stepBytes = panel.bytes.stepBytes;
  size_t k = 0;
  for (; k + kPanelStep <= panel.depth; k += kPanelStep) {
    if constexpr (Ask) {
      prefetchSecond(ahead);
      ahead += stepBytes;
    }
    accumulateStep(w, rows, x.stride, k, tile);
    accumulateStep(w, rows, x.stride, k + kLanes, tile);
  }
  accumulateTile(w, rows, x.stride, k, panel.depth, tile);
  if (panel.last) {
    return finishTile(out, t, panel.row + n, tile, panel.bias == nullptr ? nullptr : panel.bias + n);
  }
  AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) store(carried + i * kLanes, tile.acc[i]);
}

/** Rows [t, t + T) of x times the panel. carried: [panel.rows][x.rows] vectors, tile by tile. */
template <size_t T>
inline void panelRows(const Panel& panel, const Matrix& x, size_t t, float* carried, const Matrix& out) {
  size_t number = t / kPanelTile * (kPanelWeights / kTileRows);
  size_t n = 0;
  const auto tile = [&](auto rows) {
    constexpr size_t N = decltype(rows)::value;
    float* sums = carried + (n * x.rows + N * t) * kLanes;
    if (number < kPanelWeights) {
      const uint8_t* ahead = panel.next + number * panel.bytes.rowBytes;
      panelTile<N, T, true>(panel, n, x, t, ahead, sums, out);
    } else {
      panelTile<N, T, false>(panel, n, x, t, nullptr, sums, out);
    }
    number++;
    n += N;
  };
  while (n + kTileRows <= panel.rows) tile(Count<kTileRows>{});
  if constexpr (kTileRows > 2) {
    while (n + 2 <= panel.rows) tile(Count<2>{});
  }
  while (n < panel.rows) tile(Count<1>{});
}

/** All rows of x times the panel. */
inline void multiplyPanel(const Panel& panel, const Matrix& x, float* carried, const Matrix& out) {
  size_t t = 0;
  for (; t + kPanelTile <= x.rows; t += kPanelTile) panelRows<kPanelTile>(panel, x, t, carried, out);
  if (x.rows - t == 3) panelRows<3>(panel, x, t, carried, out);
  if (x.rows - t == 2) panelRows<2>(panel, x, t, carried, out);
  if (x.rows - t == 1) panelRows<1>(panel, x, t, carried, out);
}

/** Outputs of a block: all rows of x and of out, weight rows [begin, begin + count). */
template <typename Widen>
void panelBlock(const LinearOp& op, const WeightBytes& bytes, size_t begin, size_t count, float* scratch,
                Widen widen) {
  float* values = scratch;
  float* carried = scratch + kPanelWeights * kPanelPitch;
  float bias[kBlockWeights];
  if (op.bias.data != nullptr) {
    for (size_t n = 0; n < count; n++) bias[n] = valueAt(op.bias, 0, begin + n);
  }
  const size_t cols = op.weight.cols;
  // Without columns there is one panel, of depth 0.
  for (size_t k = 0; k == 0 || k < cols; k += kPanelDepth) {
    const size_t depth = cols - k < kPanelDepth ? cols - k : kPanelDepth;
    const Matrix x{op.x.data + k, op.x.rows, depth, op.x.stride};
    for (size_t n = 0; n < count; n += kPanelWeights) {
      const size_t rows = count - n < kPanelWeights ? count - n : kPanelWeights;
      widen(begin + n, rows, k, depth, values);
      const uint8_t* next = bytes.at(begin + count, 0);
      if (k + kPanelDepth < cols) next = bytes.at(begin, k + kPanelDepth);
      if (n + kPanelWeights < count) next = bytes.at(begin + n + kPanelWeights, k);
      const Panel panel{.values = values,
                        .row = begin + n,
                        .rows = rows,
                        .depth = depth,
                        .first = k == 0,
                        .last = k + depth >= cols,
                        .bias = op.bias.data == nullptr ? nullptr : bias + n,
                        .next = next,
                        .bytes = bytes};
      multiplyPanel(panel, x, carried + n * x.rows * kLanes, op.out);
    }
  }
}

/**
 * widen(n, count, k, depth, values) fills a panel, rows kPanelPitch apart. scratch: a panel, then carried
 * accumulators.
 */
template <typename Widen>
void panels(const LinearOp& op, const WeightBytes& bytes, size_t begin, size_t end, float* scratch,
            Widen widen) {
  const size_t blocks = (op.x.rows + kBlockRows - 1) / kBlockRows;
  const size_t tiles = (op.x.rows + kPanelTile - 1) / kPanelTile;
  const size_t fair = (tiles + blocks - 1) / blocks * kPanelTile;
  LinearOp block = op;
  for (size_t t = 0; t < op.x.rows; t += fair) {
    const size_t rows = op.x.rows - t < fair ? op.x.rows - t : fair;
    block.x = {op.x.data + t * op.x.stride, rows, op.x.cols, op.x.stride};
    block.out = {op.out.data + t * op.out.stride, rows, op.out.cols, op.out.stride};
    for (size_t n = begin; n < end; n += kBlockWeights) {
      panelBlock(block, bytes, n, end - n < kBlockWeights ? end - n : kBlockWeights, scratch, widen);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
