// Vectors of 8 float32 lanes over AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "dtype_bytes.h"

namespace airllm::AIRLLM_ISA {
namespace {

using F = __m256;
constexpr size_t kLanes = 8;
/** Rows of x in a register tile of `linear` with 4 rows of the weight: 12 accumulators of 16 registers. */
constexpr size_t kTileRows = 3;

inline F zero() { return _mm256_setzero_ps(); }
inline F set1(float value) { return _mm256_set1_ps(value); }
inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline F loadPartial(const float* p, size_t n) {
  alignas(32) float lanes[kLanes] = {};
  memcpy(lanes, p, n * sizeof(float));
  return _mm256_load_ps(lanes);
}
inline void store(float* p, F v) { _mm256_storeu_ps(p, v); }
inline void storePartial(float* p, F v, size_t n) {
  alignas(32) float lanes[kLanes];
  _mm256_store_ps(lanes, v);
  memcpy(p, lanes, n * sizeof(float));
}

template <DType D>
inline F widen(__m128i bits) {
  if constexpr (D == DType::kF16) return _mm256_cvtph_ps(bits);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

/**
 * f8e4m3 through f16, whose exponent is one bit longer: the same bits mean 2⁻⁸ of the value, subnormals
 * included. Only NaN (all ones) carries into the exponent's highest bit when the last bit is added.
 */
inline F widenF8(__m128i bytes) {
  const __m128i wide = _mm_slli_epi16(_mm_cvtepi8_epi16(bytes), 7);
  const __m128i half = _mm_and_si128(wide, _mm_set1_epi16(static_cast<int16_t>(0xbfff)));
  const __m128i carried = _mm_add_epi16(half, _mm_set1_epi16(0x0080));
  const __m128i nan = _mm_and_si128(carried, _mm_set1_epi16(0x4000));
  return _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(half, nan)), _mm256_set1_ps(256.0f));
}

template <DType D>
inline F loadWeight(const uint8_t* p) {
  if constexpr (D == DType::kF32) {
    return _mm256_castsi256_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  } else if constexpr (D == DType::kF8E4M3) {
    return widenF8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  } else {
    return widen<D>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
}

template <DType D>
inline F loadWeightPartial(const uint8_t* p, size_t n) {
  alignas(32) uint8_t lanes[kLanes * 4] = {};
  memcpy(lanes, p, n * kBytes<D>);
  return loadWeight<D>(lanes);
}

/** The 2 · kLanes values of bf16 at p, as float32. */
inline void widenTwo(const uint8_t* p, float* to) {
  store(to, loadWeight<DType::kBF16>(p));
  store(to + kLanes, loadWeight<DType::kBF16>(p + kLanes * kBytes<DType::kBF16>));
}

/** Values 0, 2, 4 … and 1, 3, 5 … of 2 · kLanes from p on. */
inline void loadPairs(const float* p, F& even, F& odd) {
  const F low = load(p), high = load(p + kLanes);
  const F evens = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0));
  const F odds = _mm256_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1));
  even = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(evens), _MM_SHUFFLE(3, 1, 2, 0)));
  odd = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(odds), _MM_SHUFFLE(3, 1, 2, 0)));
}

inline F add(F a, F b) { return _mm256_add_ps(a, b); }
inline F sub(F a, F b) { return _mm256_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm256_mul_ps(a, b); }
inline F div(F a, F b) { return _mm256_div_ps(a, b); }
inline F min(F a, F b) { return _mm256_min_ps(a, b); }
inline F max(F a, F b) { return _mm256_max_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F roundNearest(F v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/** 2ⁿ of integral n within [-126, 127]. */
inline F pow2(F n) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}

/** Lanes added pairwise in a fixed tree: i with i + 4, then + 2, + 1. */
inline float sum(F v) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}

/** The sums of four vectors, by the additions of `sum`. */
inline void sumFour(F a, F b, F c, F d, float* to) {
  const F ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  const F cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
  const F abPairs = _mm256_add_ps(ab, _mm256_permute_ps(ab, 0x4e));
  const F cdPairs = _mm256_add_ps(cd, _mm256_permute_ps(cd, 0x4e));
  // Lanes 0 and 4 of the sums are a and b, then c and d.
  const F abTotals = _mm256_add_ps(abPairs, _mm256_permute_ps(abPairs, 0xb1));
  const F cdTotals = _mm256_add_ps(cdPairs, _mm256_permute_ps(cdPairs, 0xb1));
  const __m128 first = _mm_unpacklo_ps(_mm256_castps256_ps128(abTotals), _mm256_extractf128_ps(abTotals, 1));
  const __m128 second = _mm_unpacklo_ps(_mm256_castps256_ps128(cdTotals), _mm256_extractf128_ps(cdTotals, 1));
  _mm_storeu_ps(to, _mm_movelh_ps(first, second));
}

inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
/** Into the second-level cache alone. */
inline void prefetchSecond(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
inline void prefetchToWrite(const void* p) { __builtin_prefetch(p, 1, 3); }

}  // namespace
}  // namespace airllm::AIRLLM_ISA

#include "packed_avx2.h"
