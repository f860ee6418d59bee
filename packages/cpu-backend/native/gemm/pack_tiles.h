// Operands as tiles of bf16, rounded to nearest, the edges filled up with zeros. Needs AVX512_BF16.
#pragma once

#include "../formats/decode_rows.h"
#include "../simd/weight_rows.h"
#include "fast_linear.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** 32 float32 as 32 bf16. */
inline __m512i roundPair(F low, F high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

/** rows[i], 16 words, becomes word i of every row. */
inline void transposeWords(__m512i (&rows)[16]) {
  __m512i pairs[16], quads[16];
  AIRLLM_UNROLL for (size_t i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  AIRLLM_UNROLL for (size_t i = 0; i < 16; i += 4) {
    quads[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    quads[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    quads[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    quads[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  // quads[4g + w]: words w, w + 4, w + 8, w + 12 of rows 4g … 4g + 3, a 128-bit lane each.
  AIRLLM_UNROLL for (size_t w = 0; w < 4; w++) {
    const __m512i low01 = _mm512_shuffle_i32x4(quads[w], quads[4 + w], 0x88);
    const __m512i high01 = _mm512_shuffle_i32x4(quads[w], quads[4 + w], 0xdd);
    const __m512i low23 = _mm512_shuffle_i32x4(quads[8 + w], quads[12 + w], 0x88);
    const __m512i high23 = _mm512_shuffle_i32x4(quads[8 + w], quads[12 + w], 0xdd);
    rows[w] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    rows[4 + w] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    rows[8 + w] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    rows[12 + w] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
  }
}

/** 32 columns of up to 16 rows of x as one tile [16 pairs of k][16 rows][2]. */
inline void packColumns(const float* x, size_t stride, size_t rows, size_t cols, uint16_t* tile) {
  __m512i words[16];
  AIRLLM_UNROLL for (size_t r = 0; r < 16; r++) {
    const float* from = x + r * stride;
    if (r >= rows) {
      words[r] = _mm512_setzero_si512();
    } else if (cols == kTileDepth) {
      words[r] = roundPair(load(from), load(from + kLanes));
    } else {
      const size_t low = cols < kLanes ? cols : kLanes;
      words[r] = roundPair(loadPartial(from, low), loadPartial(from + low, cols - low));
    }
  }
  transposeWords(words);
  AIRLLM_UNROLL for (size_t r = 0; r < 16; r++) _mm512_store_si512(tile + r * kTileDepth, words[r]);
}

void packRows(const Matrix& x, size_t begin, size_t end, uint16_t* packed) {
  const size_t groupValues = packedValues(kTileSide, x.cols);
  for (size_t group = begin; group < end; group++) {
    const size_t first = group * kTileSide;
    const size_t rows = x.rows - first < kTileSide ? x.rows - first : kTileSide;
    uint16_t* tile = packed + group * groupValues;
    for (size_t k = 0; k < x.cols; k += kTileDepth, tile += kTileValues) {
      const size_t cols = x.cols - k < kTileDepth ? x.cols - k : kTileDepth;
      packColumns(x.data + first * x.stride + k, x.stride, rows, cols, tile);
    }
  }
}

/**
 * One row of a block of tiles: `load(k, n)` gives n ≤ 32 values from column k on as bf16; panels are
 * `panelValues` apart.
 */
template <typename Load>
inline void packRow(size_t depth, size_t panelValues, uint16_t* to, Load load) {
  for (size_t k0 = 0; k0 < depth; k0 += kPanelDepth, to += panelValues) {
    const size_t end = depth - k0 < kPanelDepth ? depth : k0 + kPanelDepth;
    uint16_t* row = to;
    size_t k = k0;
    for (; k + kTileDepth <= end; k += kTileDepth, row += kTileValues) {
      _mm512_store_si512(row, load(k, kTileDepth));
    }
    if (k < end) _mm512_store_si512(row, load(k, end - k));
  }
}

/** Bytes ahead in a row that bf16 weights are asked for. */
constexpr size_t kPackPrefetch = 1024;

/** Rows [n, n + count), columns [k, k + depth) of a weight. */
struct Block {
  size_t n;
  size_t count;
  size_t k;
  size_t depth;

  size_t panelValues() const { return (count + kTileSide - 1) / kTileSide * kTileSide * kPanelDepth; }
};

/** Columns [k0, k0 + depth) of row n of a weight. */
template <DType D>
inline void packWeightRow(const Weight& weight, size_t n, size_t k0, size_t depth, size_t panelValues,
                          uint16_t* to) {
  const WeightRows<D, 1> from(weight, n, k0);
  packRow(depth, panelValues, to, [&](size_t k, size_t count) {
    if constexpr (D == DType::kBF16) {
      prefetch(from.at(0, k) + kPackPrefetch);
      if (count == kTileDepth) return _mm512_loadu_si512(from.at(0, k));
      return _mm512_maskz_loadu_epi16((__mmask32{1} << count) - 1, from.at(0, k));
    } else {
      if (count == kTileDepth) return roundPair(from.load(0, k), from.load(0, k + kLanes));
      const size_t low = count < kLanes ? count : kLanes;
      const F high = count > low ? from.loadPartial(0, k + low, count - low) : zero();
      return roundPair(from.loadPartial(0, k, low), high);
    }
  });
}

/** Packed rows go by way of float32. */
inline void packDecodedRow(const Weight& weight, size_t n, const Block& block, float* decoded, uint16_t* to) {
  decodeRows(weight, n, 1, block.k, block.depth, decoded, block.depth);
  const Weight row{reinterpret_cast<const uint8_t*>(decoded), DType::kF32, 1, block.depth};
  packWeightRow<DType::kF32>(row, 0, 0, block.depth, block.panelValues(), to);
}

/** A block as scratch.weights holds it; rows that fill the last tiles are zero. */
inline void packWeights(const Weight& weight, const Block& block, FastScratch& scratch) {
  const size_t panelValues = block.panelValues();
  const auto rowOf = [&](size_t r) {
    return scratch.weights + r / kTileSide * kTileSide * kPanelDepth + r % kTileSide * kTileDepth;
  };
  for (size_t r = 0; r < block.count; r++) {
    const size_t n = block.n + r;
    if (isPacked(weight.dtype)) {
      packDecodedRow(weight, n, block, scratch.decoded, rowOf(r));
    } else {
      withDType(weight.dtype, [&](auto tag) {
        packWeightRow<decltype(tag)::value>(weight, n, block.k, block.depth, panelValues, rowOf(r));
      });
    }
  }
  for (size_t r = block.count; r % kTileSide != 0; r++) {
    packRow(block.depth, panelValues, rowOf(r), [](size_t, size_t) { return _mm512_setzero_si512(); });
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
