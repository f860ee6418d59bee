// code8 as tiles: values of a book whose second half mirrors the first (see codes_vbmi.h) as whole numbers of
// three digits to the base 256, in the ratio of the largest one to 127 · 65536; each digit from a table of
// 128 in registers. A value is off by at most 2⁻²⁴ of the largest of its book, as much as rounding that one
// to float32.
//
//   codes ─► digits, lowest first: 3 tiles [16 rows][64 columns] ─► products, while the next 64 columns are
//   decoded
#pragma once

#include "../formats/codes_vbmi.h"
#include "int8_tiles.h"

namespace airllm::AIRLLM_ISA {
namespace {

class Code8Tiles : public CodeSteps {
 public:
  static constexpr size_t kPlanes = 3;
  static constexpr bool kPageApart = true;

  static bool fits(const Weight& weight) {
    return weight.dtype == DType::kCode8 && segmentOf(weight) >= kShortestSegment &&
           segmentOf(weight) <= kLongestSegment && largestOf(weight) > 0 && largestOf(weight) < INFINITY &&
           MirroredCode8Steps::fits(weight);
  }

  /** `scratch`: tiles of digits of twice 64 columns. */
  Code8Tiles(const Weight& weight, void* scratch)
      : CodeSteps(weight),
        weight_(weight),
        segment_(segmentOf(weight)),
        unit_(largestOf(weight) / kLargest),
        digits_(static_cast<Digits*>(scratch)) {
    const F factor = set1(kLargest / largestOf(weight));
    for (size_t j = 0; j < 128; j += kLanes) {
      F values = load(reinterpret_cast<const float*>(weight.packing.codes) + 127 + j);
      // Code 255 is −128 of the codes around zero: its magnitude takes the place of zero's, its sign is
      // turned.
      const float last = -factorAt(weight.packing.codes, DType::kF32, 255);
      if (j == 0) values = _mm512_mask_broadcastss_ps(values, 1, _mm_load_ss(&last));
      const __m512i halves = _mm512_set1_epi32(0x00008080);
      const __m512i whole = _mm512_cvtps_epi32(mul(values, factor));
      const __m512i digits = _mm512_xor_si512(_mm512_add_epi32(whole, halves), halves);
      store16(0, j, _mm512_cvtepi32_epi8(digits));
      store16(1, j, _mm512_cvtepi32_epi8(_mm512_srli_epi32(digits, 8)));
      store16(2, j, _mm512_cvtepi32_epi8(_mm512_srli_epi32(digits, 16)));
    }
  }

  template <size_t Apart>
  void sum(const DigitRows<Apart>& x, const TileRowsOf& rows, DigitSums<Apart>& to) const {
    const Tables tables(bytes_);
    SumTiles<Apart, kPlanes> tiles;
    float factors[kTileRows16] = {};
    for (size_t k = 0; k < weight_.cols; k += segment_) {
      for (size_t r = 0; r < rows.count; r++) factors[r] = factor(row(rows.at(r), k)) * unit_;
      if (rows.count == kTileRows16) {
        sumSegment<true>(tables, x, rows, k, tiles);
      } else {
        sumSegment<false>(tables, x, rows, k, tiles);
      }
      to.add(tiles, factors);
    }
  }

 private:
  static constexpr size_t kShortestSegment = 128;
  static constexpr float kLargest = 127 * 65536;

  struct Digits {
    alignas(64) uint8_t tiles[kPlanes][kTileRows16][kTileColumns];
  };

  /** Of each digit, those of magnitudes 0 … 63 and 64 … 127. */
  struct Tables {
    __m512i low0, high0, low1, high1, low2, high2;
    explicit Tables(const uint8_t (&bytes)[kPlanes][128])
        : low0(_mm512_load_si512(bytes[0])),
          high0(_mm512_load_si512(bytes[0] + 64)),
          low1(_mm512_load_si512(bytes[1])),
          high1(_mm512_load_si512(bytes[1] + 64)),
          low2(_mm512_load_si512(bytes[2])),
          high2(_mm512_load_si512(bytes[2] + 64)) {}
  };

  /** The most columns, a power of two, of which every run that starts at a multiple lies within one block. */
  static size_t segmentOf(const Weight& weight) {
    const size_t all = weight.cols | weight.packing.first | weight.packing.blockLength;
    return all & (~all + 1);
  }
  /** The largest magnitude of the book; infinities and NaN are beyond every other. */
  static float largestOf(const Weight& weight) {
    const uint32_t bits = largestBits(reinterpret_cast<const float*>(weight.packing.codes), 256);
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    return largest;
  }

  void store16(size_t plane, size_t j, __m128i bytes) {
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes_[plane] + j), bytes);
  }

  /** Digits of the 64 codes at `from`, row r of the tiles. */
  static void decode(const Tables& tables, const uint8_t* from, Digits& to, size_t r) {
    const __m512i around = _mm512_sub_epi8(_mm512_loadu_si512(from), _mm512_set1_epi8(127));
    const __m512i magnitude = _mm512_abs_epi8(around);
    const __mmask64 nonzero = _mm512_test_epi8_mask(around, around);
    const __mmask64 negative = _mm512_movepi8_mask(around);
    const __mmask64 high = _mm512_movepi8_mask(_mm512_add_epi8(magnitude, magnitude));
    const auto digit = [&](size_t plane, __m512i lowTable, __m512i highTable) {
      const __m512i low = _mm512_maskz_permutexvar_epi8(nonzero, magnitude, lowTable);
      const __m512i value = _mm512_mask_permutexvar_epi8(low, high, magnitude, highTable);
      _mm512_store_si512(to.tiles[plane][r],
                         _mm512_mask_sub_epi8(value, negative, _mm512_setzero_si512(), value));
    };
    digit(0, tables.low0, tables.high0);
    digit(1, tables.low1, tables.high1);
    digit(2, tables.low2, tables.high2);
  }

  /** `Whole` tiles have 16 rows. */
  template <bool Whole, size_t Apart>
  AIRLLM_NOINLINE void sumSegment(const Tables& tables, const DigitRows<Apart>& x, const TileRowsOf& rows,
                                  size_t begin, SumTiles<Apart, kPlanes>& to) const {
    constexpr size_t kRowBytes = SumTiles<Apart, kPlanes>::kRowBytes;
    const size_t rowBytes = rows.apart * weight_.cols, before = rows.turn * weight_.cols, count = rows.count;
    const uint8_t* weights = weight_.data + rows.n * weight_.cols;
    // In registers: what is passed is reloaded after every product.
    const Tables own = tables;
    const auto decodeQuarter = [&](size_t k, size_t first) {
      const size_t ahead = prefetchDistance(before + k, rowBytes, kTileRows16, kTilePrefetch);
      const uint8_t* from = weights + first * rowBytes + k;
      Digits& digits = digits_[k / kTileColumns % 2];
      AIRLLM_UNROLL for (size_t r = first; r < first + kTileRows16 / 4; r++, from += rowBytes) {
        if (!Whole && r >= count) return;
        prefetch(from + ahead);
        decode(own, from, digits, r);
      }
    };
    const auto rowsOfX = [&](size_t k) { return x.digits + k * Apart * kDigits; };
    orderMemory();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    for (size_t first = 0; first < kTileRows16; first += kTileRows16 / 4) decodeQuarter(begin, first);
    // A quarter of the next columns between products, so that neither waits for the other.
    size_t k = begin;
    for (; k + kTileColumns < begin + segment_; k += kTileColumns) {
      const Digits& digits = digits_[k / kTileColumns % 2];
      decodeQuarter(k + kTileColumns, 0);
      orderMemory();
      _tile_loadd(6, rowsOfX(k), kRowBytes);
      _tile_loadd(4, digits.tiles[0], kTileColumns);
      _tile_dpbssd(0, 4, 6);
      orderMemory();
      decodeQuarter(k + kTileColumns, kTileRows16 / 4);
      orderMemory();
      _tile_loadd(5, digits.tiles[1], kTileColumns);
      _tile_dpbssd(1, 5, 6);
      orderMemory();
      decodeQuarter(k + kTileColumns, kTileRows16 / 2);
      orderMemory();
      _tile_loadd(4, digits.tiles[2], kTileColumns);
      _tile_dpbssd(2, 4, 6);
      orderMemory();
      decodeQuarter(k + kTileColumns, kTileRows16 / 4 * 3);
    }
    const Digits& digits = digits_[k / kTileColumns % 2];
    orderMemory();
    _tile_loadd(6, rowsOfX(k), kRowBytes);
    _tile_loadd(4, digits.tiles[0], kTileColumns);
    _tile_dpbssd(0, 4, 6);
    _tile_loadd(5, digits.tiles[1], kTileColumns);
    _tile_dpbssd(1, 5, 6);
    _tile_loadd(4, digits.tiles[2], kTileColumns);
    _tile_dpbssd(2, 4, 6);
    _tile_stored(0, to.sums[0], kRowBytes);
    _tile_stored(1, to.sums[1], kRowBytes);
    _tile_stored(2, to.sums[2], kRowBytes);
    orderMemory();
  }

  const Weight& weight_;
  size_t segment_;
  float unit_;
  Digits* digits_;
  alignas(64) uint8_t bytes_[kPlanes][128];
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
