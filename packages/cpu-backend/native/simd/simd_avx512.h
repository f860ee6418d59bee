// Vectors of 16 float32 lanes over AVX-512 F, BW, VL, DQ.
#pragma once

#include <immintrin.h>

#include "dtype_bytes.h"

namespace airllm::AIRLLM_ISA {
namespace {

using F = __m512;
constexpr size_t kLanes = 16;
/** Rows of x in a register tile of `linear` with 4 rows of the weight: 24 accumulators of 32 registers. */
constexpr size_t kTileRows = 6;

inline __mmask16 firstLanes(size_t n) { return static_cast<__mmask16>((1u << n) - 1u); }

inline F zero() { return _mm512_setzero_ps(); }
inline F set1(float value) { return _mm512_set1_ps(value); }
inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline F loadPartial(const float* p, size_t n) { return _mm512_maskz_loadu_ps(firstLanes(n), p); }
inline void store(float* p, F v) { _mm512_storeu_ps(p, v); }
inline void storePartial(float* p, F v, size_t n) { _mm512_mask_storeu_ps(p, firstLanes(n), v); }

inline F widenBF16(__m256i bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/**
 * f8e4m3 through f16, whose exponent is one bit longer: the same bits mean 2⁻⁸ of the value, subnormals
 * included. Only NaN (all ones) carries into the exponent's highest bit when the last bit is added.
 */
inline F widenF8(__m128i bytes) {
  const __m256i wide = _mm256_slli_epi16(_mm256_cvtepi8_epi16(bytes), 7);
  const __m256i half = _mm256_and_si256(wide, _mm256_set1_epi16(static_cast<int16_t>(0xbfff)));
  const __m256i carried = _mm256_add_epi16(half, _mm256_set1_epi16(0x0080));
  const __m256i nan = _mm256_and_si256(carried, _mm256_set1_epi16(0x4000));
  return _mm512_mul_ps(_mm512_cvtph_ps(_mm256_or_si256(half, nan)), _mm512_set1_ps(256.0f));
}

template <DType D>
inline F loadWeight(const uint8_t* p) {
  if constexpr (D == DType::kF32) {
    return _mm512_loadu_ps(p);
  } else if constexpr (D == DType::kF8E4M3) {
    return widenF8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  } else {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    if constexpr (D == DType::kF16) return _mm512_cvtph_ps(bits);
    return widenBF16(bits);
  }
}

template <DType D>
inline F loadWeightPartial(const uint8_t* p, size_t n) {
  if constexpr (D == DType::kF32) {
    return _mm512_maskz_loadu_ps(firstLanes(n), p);
  } else if constexpr (D == DType::kF8E4M3) {
    return widenF8(_mm_maskz_loadu_epi8(firstLanes(n), p));
  } else {
    const __m256i bits = _mm256_maskz_loadu_epi16(firstLanes(n), p);
    if constexpr (D == DType::kF16) return _mm512_cvtph_ps(bits);
    return widenBF16(bits);
  }
}

/** The 2 · kLanes values of bf16 at p, as float32: each is moved and widened at once. */
inline void widenTwo(const uint8_t* p, float* to) {
  constexpr __mmask32 kUpperHalves = 0xaaaaaaaa;
  const __m512i both = _mm512_loadu_si512(p);
  const __m512i low = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0,
                                       4, 0, 3, 0, 2, 0, 1, 0, 0, 0);
  const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
  store(to, _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(kUpperHalves, low, both)));
  store(to + kLanes, _mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(kUpperHalves, high, both)));
}

/** Values 0, 2, 4 … and 1, 3, 5 … of 2 · kLanes from p on. */
inline void loadPairs(const float* p, F& even, F& odd) {
  const F low = load(p), high = load(p + kLanes);
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  even = _mm512_permutex2var_ps(low, evens, high);
  odd = _mm512_permutex2var_ps(low, _mm512_add_epi32(evens, _mm512_set1_epi32(1)), high);
}

inline F add(F a, F b) { return _mm512_add_ps(a, b); }
inline F sub(F a, F b) { return _mm512_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F div(F a, F b) { return _mm512_div_ps(a, b); }
inline F min(F a, F b) { return _mm512_min_ps(a, b); }
inline F max(F a, F b) { return _mm512_max_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F roundNearest(F v) { return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/** 2ⁿ of integral n within [-126, 127]. */
inline F pow2(F n) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}

/** Lanes added pairwise in a fixed tree: i with i + 8, then + 4, + 2, + 1. */
inline float sum(F v) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

/** The sums of four vectors, by the additions of `sum`. */
inline void sumFour(F a, F b, F c, F d, float* to) {
  const F ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  const F cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
  const F quarters = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  const F pairs = _mm512_add_ps(quarters, _mm512_permute_ps(quarters, 0x4e));
  const F totals = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
  const __m512i firsts = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_permutexvar_ps(firsts, totals)));
}

inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
/** Into the second-level cache alone. */
inline void prefetchSecond(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
inline void prefetchToWrite(const void* p) { __builtin_prefetch(p, 1, 3); }

}  // namespace
}  // namespace airllm::AIRLLM_ISA

#include "packed_avx512.h"
