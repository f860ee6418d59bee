// Register tiles of dot products: the one inner loop of linear and of attention's scores.
#pragma once

#include "weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** N × T accumulators: output (n, t) at n * T + t. Loops over them are flat, which compilers unroll reliably.
 */
template <size_t N, size_t T>
struct Tile {
  F acc[N * T];
};

template <size_t N, size_t T>
inline void clear(Tile<N, T>& tile) {
  AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) tile.acc[i] = zero();
}

/** Bytes ahead of the current position that a weight read from memory is asked for, in each of its rows. */
constexpr size_t kPrefetchBytes = 1024;

/**
 * The distance from byte `at` of a row to the bytes to ask for, where `rows` rows are read side by side: past
 * the end of the row comes the beginning of the one `rows` further down.
 */
inline size_t prefetchDistance(size_t at, size_t rowBytes, size_t rows, size_t ahead) {
  return at + ahead < rowBytes ? ahead : ahead + (rows - 1) * rowBytes;
}

/** A number to choose templates by. */
template <size_t N>
struct Count {
  static constexpr size_t value = N;
};

/** tile(n, t) += w[n, k] · x[t, k] for the kLanes columns from k on. */
template <DType D, size_t N, size_t T>
inline void accumulateStep(const WeightRows<D, N>& w, const float* x, size_t xStride, size_t k,
                           Tile<N, T>& tile) {
  F rows[T];
  F weights = zero();
  AIRLLM_UNROLL for (size_t t = 0; t < T; t++) rows[t] = load(x + t * xStride + k);
  AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) {
    if (i % T == 0) weights = w.load(i / T, k);
    tile.acc[i] = fma(weights, rows[i % T], tile.acc[i]);
  }
}

/** tile(n, t) += w[n, k] · x[t, k] for k in [from, depth); w is prefetched if `Stream`. */
template <DType D, bool Stream = false, size_t N, size_t T>
inline void accumulateTile(const WeightRows<D, N>& w, const float* x, size_t xStride, size_t from,
                           size_t depth, Tile<N, T>& tile) {
  size_t k = from;
  for (; k + kLanes <= depth; k += kLanes) {
    if constexpr (Stream) {
      AIRLLM_UNROLL for (size_t i = 0; i < N; i++) prefetch(w.at(i, k) + kPrefetchBytes);
    }
    accumulateStep(w, x, xStride, k, tile);
  }
  if (k < depth) {
    const size_t left = depth - k;
    F rows[T];
    F weights = zero();
    AIRLLM_UNROLL for (size_t t = 0; t < T; t++) rows[t] = loadPartial(x + t * xStride + k, left);
    AIRLLM_UNROLL for (size_t i = 0; i < N * T; i++) {
      if (i % T == 0) weights = w.loadPartial(i / T, k, left);
      tile.acc[i] = fma(weights, rows[i % T], tile.acc[i]);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
