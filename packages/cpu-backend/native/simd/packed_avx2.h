// Values of packed formats as vectors, over AVX2.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

/** kLanes signed bytes as float32. */
inline F loadInt8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

/** 16 values to be looked up by nibbles: two registers, chosen between by the nibble's highest bit. */
struct Table16 {
  __m256 low, high;
};

/** 16 float32 at any byte address. */
inline Table16 table16(const void* values) {
  const __m256i* halves = static_cast<const __m256i*>(values);
  return {_mm256_castsi256_ps(_mm256_loadu_si256(halves)),
          _mm256_castsi256_ps(_mm256_loadu_si256(halves + 1))};
}
/** values[i] · factor, rounded to float32. */
inline Table16 scaled(const Table16& table, float factor) {
  const __m256 factors = _mm256_set1_ps(factor);
  return {_mm256_mul_ps(table.low, factors), _mm256_mul_ps(table.high, factors)};
}
/** The same minus `offset`, rounded again. */
inline Table16 scaled(const Table16& table, float factor, float offset) {
  const Table16 products = scaled(table, factor);
  const __m256 offsets = _mm256_set1_ps(offset);
  return {_mm256_sub_ps(products.low, offsets), _mm256_sub_ps(products.high, offsets)};
}

/** Of each lane the low four bits count. */
inline F lookup(const Table16& table, __m256i nibbles) {
  const __m256 low = _mm256_permutevar8x32_ps(table.low, nibbles);
  const __m256 high = _mm256_permutevar8x32_ps(table.high, nibbles);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(nibbles, 28)));
}

/** Values of kLanes nibbles, from the kLanes / 2 bytes at p, whose high nibble is the first or the second. */
template <bool HighFirst>
inline F lookupNibbles(const Table16& table, const uint8_t* p) {
  int32_t word;
  memcpy(&word, p, sizeof word);
  const __m256i shifts = HighFirst ? _mm256_setr_epi32(4, 0, 12, 8, 20, 16, 28, 24)
                                   : _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  return lookup(table, _mm256_srlv_epi32(_mm256_set1_epi32(word), shifts));
}

/** Values of the low nibbles of kLanes bytes, or of the high ones. */
template <bool High>
inline F lookupHalves(const Table16& table, const uint8_t* p) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  return lookup(table, High ? _mm256_srli_epi32(bytes, 4) : bytes);
}

/** Values of kLanes bytes from a book of 256. */
inline F lookupBytes(const float* book, const uint8_t* p) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  return _mm256_i32gather_ps(book, bytes, sizeof(float));
}

/** Of kLanes values: signs and seven digits of their fractions, and exponents. */
inline F joinExponents(const uint8_t* own, const uint8_t* exponents) {
  const __m256i digits = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(own)));
  const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(exponents)));
  const __m256i kept =
      _mm256_and_si256(_mm256_slli_epi32(digits, 16), _mm256_set1_epi32(static_cast<int>(0x807f0000)));
  return _mm256_castsi256_ps(_mm256_or_si256(kept, _mm256_slli_epi32(e, 23)));
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
