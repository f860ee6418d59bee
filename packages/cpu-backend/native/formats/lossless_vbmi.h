// bf16z with AVX-512 VBMI2 and GFNI: codes come out of the bit planes by one product of 8 × 8 bit matrices
// for each 8 columns, and escapes are expanded into their columns without a loop.
#pragma once

#include <immintrin.h>

#include "codes_vbmi.h"
#include "lossless.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Bytes 7, 6 and 5 of each eight: byte i of plane 0, 1 and 2, for the columns 8i … 8i + 7. */
inline __m512i planesToMatrices(__m512i planes) {
  alignas(64) static constexpr auto kOrder = [] {
    struct {
      uint8_t from[64];
    } order{};
    for (size_t i = 0; i < 64; i++)
      order.from[i] = static_cast<uint8_t>(i % 8 < 5 ? 63 : i / 8 + 8 * (7 - i % 8));
    return order;
  }();
  return _mm512_permutexvar_epi8(_mm512_load_si512(kOrder.from), planes);
}

/**
 * Columns in an order in which interleaving the lower and the higher bytes of bfloat16 within 128-bit lanes
 * makes pairs (i, 16 + i), of the first 32 and of the others.
 */
inline __m512i pairColumns(__m512i bytes) {
  alignas(64) static constexpr auto kOrder = [] {
    struct {
      uint8_t from[64];
    } order{};
    for (size_t i = 0; i < 64; i++) {
      const size_t lane = i / 16, half = i / 8 % 2, pair = i % 8 / 2;
      order.from[i] = static_cast<uint8_t>(32 * half + 16 * (i % 2) + 4 * lane + pair);
    }
    return order;
  }();
  return _mm512_permutexvar_epi8(_mm512_load_si512(kOrder.from), bytes);
}

struct ExpandedLosslessSteps : LosslessSteps {
  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    askFor(row, ahead);
    const __m512i matrices = planesToMatrices(_mm512_maskz_loadu_epi64(7, row.codes));
    const __m512i codes = _mm512_gf2p8affine_epi64_epi8(
        _mm512_set1_epi64(static_cast<int64_t>(0x8040201008040201)), matrices, 0);
    const __m512i base = _mm512_set1_epi8(static_cast<char>(row.escapes[0]));
    const __mmask64 escaped = _mm512_cmpeq_epi8_mask(codes, _mm512_set1_epi8(7));
    const __m512i exponents =
        _mm512_mask_expand_epi8(_mm512_sub_epi8(base, codes), escaped, nextEscapes(row));
    row.next += bitCount(LosslessGroup(row.codes).escapes());

    const __m512i e = pairColumns(exponents), own = pairColumns(_mm512_loadu_si512(row.own));
    const __m512i top = _mm512_set1_epi8(static_cast<char>(0x80));
    // top ? own : e / 2, and top ? e · 128 : own, bit by bit
    const __m512i high = _mm512_ternarylogic_epi32(top, own, _mm512_srli_epi16(e, 1), 0xca);
    const __m512i low = _mm512_ternarylogic_epi32(top, _mm512_slli_epi16(e, 7), own, 0xca);
    const __m512i first = _mm512_unpacklo_epi8(low, high), last = _mm512_unpackhi_epi8(low, high);
    const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    sink(0, _mm512_castsi512_ps(_mm512_slli_epi32(first, 16)));
    sink(16, _mm512_castsi512_ps(_mm512_and_si512(first, upper)));
    sink(32, _mm512_castsi512_ps(_mm512_slli_epi32(last, 16)));
    sink(48, _mm512_castsi512_ps(_mm512_and_si512(last, upper)));
    row.own += kColumns;
    row.codes += kLosslessGroupBytes;
  }

 private:
  /** The next 64 escapes of the row, and zeros once there are none left. */
  __m512i nextEscapes(const Row& row) const {
    const size_t escapeBytes = weight.packing.escapeBytes;
    const size_t left = row.next < escapeBytes ? escapeBytes - row.next : 0;
    const __mmask64 stored = left < 64 ? (__mmask64{1} << left) - 1 : ~__mmask64{0};
    return _mm512_maskz_loadu_epi8(stored, row.escapes + row.next);
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
