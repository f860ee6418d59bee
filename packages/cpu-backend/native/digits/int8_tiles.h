// int8 as tiles: the weight itself, where it lies.
#pragma once

#include "../formats/integers.h"
#include "digit_sums.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Columns of a segment whose sums, of products up to 2¹⁴, stay within 31 bits. */
constexpr size_t kLongestSegment = size_t{1} << 16;
/** Bytes that a row's weights are asked for ahead of time. */
constexpr size_t kTilePrefetch = 512;

class Int8Tiles {
 public:
  static constexpr bool kPageApart = false;

  static bool fits(const Weight& weight) {
    const size_t groupCols = weight.packing.groupCols;
    return weight.dtype == DType::kInt8 && weight.cols % kTileColumns == 0 && groupCols % kTileColumns == 0 &&
           groupCols != 0 && (groupCols <= kLongestSegment || weight.cols <= kLongestSegment);
  }

  Int8Tiles(const Weight& weight, void*)
      : weight_(weight), groups_((weight.cols - 1) / weight.packing.groupCols + 1) {}

  /** Sums of rows of the weight. Groups take turns in two tiles of sums, each read while the next is made. */
  template <size_t Apart>
  void sum(const DigitRows<Apart>& x, const TileRowsOf& rows, DigitSums<Apart>& to) const {
    SumTiles<Apart, 1> tiles[2];
    float scales[2][kTileRows16] = {};
    for (size_t g = 0; g < groups_; g++) {
      for (size_t r = 0; r < rows.count; r++) {
        scales[g % 2][r] = factorAt(weight_.packing.factors, DType::kF32, rows.at(r) * groups_ + g);
      }
      if (g % 2 == 0) {
        sumGroup<false>(x, rows, g, tiles[0]);
      } else {
        sumGroup<true>(x, rows, g, tiles[1]);
      }
      if (g > 0) to.add(tiles[(g - 1) % 2], scales[(g - 1) % 2]);
    }
    to.add(tiles[(groups_ - 1) % 2], scales[(groups_ - 1) % 2]);
  }

 private:
  template <bool Second, size_t Apart>
  void sumGroup(const DigitRows<Apart>& x, const TileRowsOf& rows, size_t g, SumTiles<Apart, 1>& to) const {
    constexpr size_t kRowBytes = SumTiles<Apart, 1>::kRowBytes;
    const size_t cols = weight_.cols, rowBytes = rows.apart * cols;
    const size_t begin = g * weight_.packing.groupCols;
    const size_t left = cols - begin;
    const size_t end = begin + (left < weight_.packing.groupCols ? left : weight_.packing.groupCols);
    orderMemory();
    // The intrinsics take numbers alone, no template parameters.
    if constexpr (Second) {
      _tile_zero(1);
    } else {
      _tile_zero(0);
    }
    for (size_t k = begin; k < end; k += kTileColumns) {
      const uint8_t* from = weight_.data + rows.n * cols + k;
      const int8_t* digits = x.digits + k * Apart * kDigits;
      const size_t ahead = prefetchDistance(rows.turn * cols + k, rowBytes, kTileRows16, kTilePrefetch);
      for (size_t r = 0; r < rows.count; r++) prefetch(from + r * rowBytes + ahead);
      if constexpr (Second) {
        _tile_loadd(7, digits, kRowBytes);
        _tile_loadd(5, from, rowBytes);
        _tile_dpbssd(1, 5, 7);
      } else {
        _tile_loadd(6, digits, kRowBytes);
        _tile_loadd(4, from, rowBytes);
        _tile_dpbssd(0, 4, 6);
      }
    }
    if constexpr (Second) {
      _tile_stored(1, to.sums[0], kRowBytes);
    } else {
      _tile_stored(0, to.sums[0], kRowBytes);
    }
    orderMemory();
  }

  const Weight& weight_;
  size_t groups_;
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
