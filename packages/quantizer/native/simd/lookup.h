// Codes of 64 scaled values within [-1, 1], and the values that the codes stand for: by the buckets of a
// CodeTable, or by a search in registers.
#pragma once

#include "../formats/tile.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace airllm::AIRLLM_ISA {
namespace {

#if defined(__AVX512F__)

/** 16-entry maps: the tables of 32 buckets fit two registers. */
inline void findNibbles(const CodeTable& table, const float* scaled, int32_t* code, float* coded) {
  const __m512 map = _mm512_loadu_ps(table.map());
  const __m512 lowThresholds = _mm512_loadu_ps(table.thresholds());
  const __m512 highThresholds = _mm512_loadu_ps(table.thresholds() + 16);
  const __m512i lowBases = _mm512_loadu_si512(table.bases()),
                highBases = _mm512_loadu_si512(table.bases() + 16);
  for (size_t i = 0; i < kTile; i += kLanes) {
    const __m512 s = _mm512_loadu_ps(scaled + i);
    const __m512 sixteenths = _mm512_mul_ps(s, _mm512_set1_ps(16.0f));
    __m512i bucket = _mm512_cvt_roundps_epi32(sixteenths, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    bucket = _mm512_min_epi32(_mm512_add_epi32(bucket, _mm512_set1_epi32(16)), _mm512_set1_epi32(31));
    const __m512 threshold = _mm512_permutex2var_ps(lowThresholds, bucket, highThresholds);
    const __m512i base = _mm512_permutex2var_epi32(lowBases, bucket, highBases);
    const __mmask16 above = _mm512_cmp_ps_mask(s, threshold, _CMP_GT_OQ);
    const __m512i found = _mm512_mask_add_epi32(base, above, base, _mm512_set1_epi32(1));
    _mm512_storeu_si512(code + i, found);
    _mm512_storeu_ps(coded + i, _mm512_permutexvar_ps(found, map));
  }
}

inline void findBytes(const CodeTable& table, const float* scaled, int32_t* code, float* coded) {
  const __m512i least = _mm512_set1_epi32(static_cast<int>(CodeTable::kLeastBits));
  for (size_t i = 0; i < kTile; i += kLanes) {
    const __m512 s = _mm512_loadu_ps(scaled + i);
    const __m512i bits = _mm512_castps_si512(s);
    const __m512i magnitude = _mm512_max_epi32(_mm512_and_epi32(bits, _mm512_set1_epi32(0x7fffffff)), least);
    __m512i bucket = _mm512_srli_epi32(_mm512_sub_epi32(magnitude, least), CodeTable::kShift);
    bucket = _mm512_mask_add_epi32(bucket, _mm512_movepi32_mask(bits), bucket,
                                   _mm512_set1_epi32(static_cast<int>(CodeTable::kFloatBuckets)));
    const __m512 threshold = _mm512_i32gather_ps(bucket, table.thresholds(), 4);
    const __m512i base = _mm512_i32gather_epi32(bucket, table.bases(), 4);
    const __mmask16 above = _mm512_cmp_ps_mask(s, threshold, _CMP_GT_OQ);
    const __m512i found = _mm512_mask_add_epi32(base, above, base, _mm512_set1_epi32(1));
    _mm512_storeu_si512(code + i, found);
    _mm512_storeu_ps(coded + i, _mm512_i32gather_ps(found, table.map(), 4));
  }
}

#else

/** By buckets found beforehand. */
inline void lookUp(const CodeTable& table, const float* scaled, const int32_t* bucket, int32_t* code,
                   float* coded) {
  const float* const thresholds = table.thresholds();
  const int32_t* const bases = table.bases();
  const float* const map = table.map();
  for (size_t i = 0; i < kTile; i++) {
    code[i] = bases[bucket[i]] + (scaled[i] > thresholds[bucket[i]] ? 1 : 0);
    coded[i] = map[code[i]];
  }
}

#if defined(__AVX2__)

/** 16-entry maps: four steps of a binary search, its midpoints in registers. */
inline void findNibbles(const CodeTable& table, const float* scaled, int32_t* code, float* coded) {
  const float* const m = table.midpoints();
  const __m256 first = _mm256_set1_ps(m[7]), low = _mm256_set1_ps(m[3]), high = _mm256_set1_ps(m[11]);
  const __m256 third = _mm256_setr_ps(m[1], m[5], m[9], m[13], 0, 0, 0, 0);
  const __m256 fourth = _mm256_setr_ps(m[0], m[2], m[4], m[6], m[8], m[10], m[12], m[14]);
  const __m256 lowMap = _mm256_loadu_ps(table.map()), highMap = _mm256_loadu_ps(table.map() + 8);
  // A mask is -1: taking it away adds the step's bit.
  const auto append = [](__m256i bits, __m256 above) {
    return _mm256_sub_epi32(_mm256_add_epi32(bits, bits), _mm256_castps_si256(above));
  };
  for (size_t i = 0; i < kTile; i += 8) {
    const __m256 s = _mm256_loadu_ps(scaled + i);
    const __m256 upper = _mm256_cmp_ps(s, first, _CMP_GT_OQ);
    __m256i found = append(_mm256_setzero_si256(), upper);
    found = append(found, _mm256_cmp_ps(s, _mm256_blendv_ps(low, high, upper), _CMP_GT_OQ));
    found = append(found, _mm256_cmp_ps(s, _mm256_permutevar8x32_ps(third, found), _CMP_GT_OQ));
    found = append(found, _mm256_cmp_ps(s, _mm256_permutevar8x32_ps(fourth, found), _CMP_GT_OQ));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(code + i), found);
    const __m256 lowValue = _mm256_permutevar8x32_ps(lowMap, found),
                 highValue = _mm256_permutevar8x32_ps(highMap, found);
    _mm256_storeu_ps(coded + i, _mm256_blendv_ps(lowValue, highValue, upper));
  }
}

#else

inline void findNibbles(const CodeTable& table, const float* scaled, int32_t* code, float* coded) {
  int32_t bucket[kTile];
  for (size_t i = 0; i < kTile; i++) bucket[i] = CodeTable::linearBucketOf(scaled[i]);
  lookUp(table, scaled, bucket, code, coded);
}

#endif

inline void findBytes(const CodeTable& table, const float* scaled, int32_t* code, float* coded) {
  int32_t bucket[kTile];
  for (size_t i = 0; i < kTile; i++) bucket[i] = CodeTable::floatBucketOf(scaled[i]);
  lookUp(table, scaled, bucket, code, coded);
}

#endif

}  // namespace
}  // namespace airllm::AIRLLM_ISA
