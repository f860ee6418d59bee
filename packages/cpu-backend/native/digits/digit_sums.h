// Sums of products with digits: exact as whole numbers within a segment of columns that shares a factor,
// float32 from segment to segment. The order is the same whatever rows are computed together.
#pragma once

#include "../gemm/tile_registers.h"
#include "../ops/linear_panels.h"
#include "digit_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows of a weight in one tile, and its columns. */
constexpr size_t kTileRows16 = 16;
constexpr size_t kTileColumns = 64;

/**
 * Rows n, n + apart, n + 2 · apart … of a weight, at most those of one tile. The `turn`-th such rows of apart
 * · 16, which take turns.
 */
struct TileRowsOf {
  size_t n;
  size_t count;
  size_t apart;
  size_t turn;

  size_t at(size_t r) const { return n + r * apart; }
};

/**
 * Tiles 0 … 3: sums [rows of the weight][Apart][digits]; 4 and 5: weights [rows][64 columns]; 6 and 7: rows
 * of x [16][Apart][digits][4 columns].
 */
template <size_t Apart>
inline TileShapes digitShapes(size_t weightRows) {
  TileShapes shapes;
  for (size_t tile = 0; tile < 8; tile++) {
    if (tile < 6) shapes.rows[tile] = static_cast<uint8_t>(weightRows);
    if (tile < 4 || tile > 5) shapes.rowBytes[tile] = Apart * kDigits * sizeof(int32_t);
  }
  return shapes;
}

/** Tiles of sums in memory, `Planes` of them: the lowest digits of a weight first. */
template <size_t Apart, size_t Planes>
struct SumTiles {
  static constexpr size_t kRowBytes = Apart * kDigits * sizeof(int32_t);
  alignas(64) int32_t sums[Planes][kTileRows16 * Apart * kDigits] = {};
};

/** Outputs of 16 rows of the weight and Apart rows of x, a lane for each digit of x. */
template <size_t Apart>
class DigitSums {
 public:
  DigitSums() { AIRLLM_UNROLL for (F& total : totals_) total = zero(); }

  /** Adds Σ 256ᵖ · tiles[p], of row r times factors[r]. */
  template <size_t Planes>
  void add(const SumTiles<Apart, Planes>& tiles, const float* factors) {
    AIRLLM_UNROLL for (size_t v = 0; v < kVectors; v++) {
      const auto plane = [&](size_t p) {
        return _mm512_cvtepi32_ps(_mm512_load_si512(tiles.sums[p] + v * kLanes));
      };
      F sum = plane(Planes - 1);
      AIRLLM_UNROLL for (size_t p = Planes - 1; p > 0; p--) sum = fma(sum, set1(256), plane(p - 1));
      totals_[v] = fma(sum, spread(factors + v * kRowsOfVector), totals_[v]);
    }
  }

  /** To outputs [t, t + x.rows) × rows. */
  void finish(const LinearOp& op, const DigitRows<Apart>& x, size_t t, const TileRowsOf& rows) const {
    const F digitFactors = spreadOverRows(x.factors);
    alignas(64) float sums[kVectors * 4];
    AIRLLM_UNROLL for (size_t v = 0; v < kVectors; v++) {
      const F terms = mul(totals_[v], digitFactors);
      const F pairs = add2(terms, _mm512_permute_ps(terms, 0xb1));
      const F whole = add2(pairs, _mm512_permute_ps(pairs, 0x4e));
      const __m512i firsts = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      _mm_store_ps(sums + v * 4, _mm512_castps512_ps128(_mm512_permutexvar_ps(firsts, whole)));
    }
    for (size_t r = 0; r < rows.count; r++) {
      const float bias = op.bias.data == nullptr ? 0 : valueAt(op.bias, 0, rows.at(r));
      for (size_t i = 0; i < x.rows; i++) {
        const float sum = sums[r * Apart + i];
        op.out.data[(t + i) * op.out.stride + rows.at(r)] = op.bias.data == nullptr ? sum : sum + bias;
      }
    }
  }

 private:
  /** Vectors of [rows of the weight][Apart][digits], and rows of the weight in each. */
  static constexpr size_t kVectors = kTileRows16 * Apart * kDigits / kLanes;
  static constexpr size_t kRowsOfVector = kTileRows16 / kVectors;

  static F add2(F a, F b) { return ::airllm::AIRLLM_ISA::add(a, b); }

  /** A factor for each row of the weight of a vector. */
  static F spread(const float* factors) {
    F all = set1(factors[0]);
    if constexpr (kRowsOfVector == 4) {
      all = _mm512_mask_broadcastss_ps(all, 0x00f0, _mm_load_ss(factors + 1));
      all = _mm512_mask_broadcastss_ps(all, 0x0f00, _mm_load_ss(factors + 2));
      all = _mm512_mask_broadcastss_ps(all, 0xf000, _mm_load_ss(factors + 3));
    }
    return all;
  }
  /** The factors of the digits of Apart rows, as often as a vector has them. */
  static F spreadOverRows(const float* factors) {
    if constexpr (Apart == kRowsTogether) return load(factors);
    return _mm512_broadcast_f32x4(_mm_loadu_ps(factors));
  }

  F totals_[kVectors];
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
