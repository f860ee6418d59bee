// Tiles by AMX: a product of [16 weights][32 k] and [16 pairs of k][16 rows][2] in one instruction.
#pragma once

#include "fast_linear.h"
#include "tile_registers.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kRowBytes = 64;
/** Values of a line of the cache. */
constexpr size_t kLine = 32;

/** Weights in tiles 4 and 5, rows of x in 6 and 7, sums in 0 … 3. */
template <bool TwoWeights, bool TwoRows>
inline void multiply(const TileRows& weights, const TileRows& x, size_t steps, bool first, float* sums,
                     const uint16_t* next) {
  const uint16_t* w = weights.first;
  const uint16_t* rows = x.first;
  orderMemory();
  if (first) {
    _tile_zero(0);
    if (TwoRows) _tile_zero(1);
    if (TwoWeights) _tile_zero(2);
    if (TwoWeights && TwoRows) _tile_zero(3);
  } else {
    _tile_loadd(0, sums, kRowBytes);
    if (TwoRows) _tile_loadd(1, sums + kTileSums, kRowBytes);
    if (TwoWeights) _tile_loadd(2, sums + 2 * kTileSums, kRowBytes);
    if (TwoWeights && TwoRows) _tile_loadd(3, sums + 3 * kTileSums, kRowBytes);
  }
  for (size_t step = 0; step < steps; step++, w += kTileValues, rows += kTileValues) {
    // Two lines of each row of tiles per step.
    prefetch(next);
    prefetch(next + kLine);
    prefetch(next + x.apart);
    prefetch(next + x.apart + kLine);
    next += 2 * kLine;
    _tile_loadd(6, rows, kRowBytes);
    _tile_loadd(4, w, kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    if (TwoRows) {
      _tile_loadd(7, rows + x.apart, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (TwoWeights) {
      _tile_loadd(5, w + weights.apart, kRowBytes);
      _tile_dpbf16ps(2, 5, 6);
      if (TwoRows) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kRowBytes);
  if (TwoRows) _tile_stored(1, sums + kTileSums, kRowBytes);
  if (TwoWeights) _tile_stored(2, sums + 2 * kTileSums, kRowBytes);
  if (TwoWeights && TwoRows) _tile_stored(3, sums + 3 * kTileSums, kRowBytes);
  orderMemory();
}

/** Products of `steps` tiles onto the sums, or from zero when `first`: tiles (w0, x0), (w0, x1), (w1, x0),
 * (w1, x1). */
AIRLLM_NOINLINE void multiplyTiles(const TileRows& weights, const TileRows& x, size_t steps, bool first,
                                   float* sums, const uint16_t* next) {
  if (weights.two && x.two) return multiply<true, true>(weights, x, steps, first, sums, next);
  if (weights.two) return multiply<true, false>(weights, x, steps, first, sums, next);
  if (x.two) return multiply<false, true>(weights, x, steps, first, sums, next);
  multiply<false, false>(weights, x, steps, first, sums, next);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
