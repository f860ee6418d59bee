// Values of packed formats as vectors, over AVX-512 F, BW, VL, DQ.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

/** kLanes signed bytes as float32. */
inline F loadInt8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}

/** 16 values to be looked up by nibbles: one register, of whose indices only the low four bits count. */
struct Table16 {
  __m512 values;
};

/** 16 float32 at any byte address. */
inline Table16 table16(const void* values) { return {_mm512_loadu_ps(values)}; }
/** values[i] · factor, rounded to float32. */
inline Table16 scaled(const Table16& table, float factor) {
  return {_mm512_mul_ps(table.values, _mm512_set1_ps(factor))};
}
/** The same minus `offset`, rounded again. */
inline Table16 scaled(const Table16& table, float factor, float offset) {
  return {_mm512_sub_ps(scaled(table, factor).values, _mm512_set1_ps(offset))};
}

/** Values of kLanes nibbles, from the kLanes / 2 bytes at p, whose high nibble is the first or the second. */
template <bool HighFirst>
inline F lookupNibbles(const Table16& table, const uint8_t* p) {
  int32_t low, high;
  memcpy(&low, p, sizeof low);
  memcpy(&high, p + 4, sizeof high);
  const __m512i words = _mm512_mask_set1_epi32(_mm512_set1_epi32(low), 0xff00, high);
  const __m512i shifts = HighFirst
                             ? _mm512_setr_epi32(4, 0, 12, 8, 20, 16, 28, 24, 4, 0, 12, 8, 20, 16, 28, 24)
                             : _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  return _mm512_permutexvar_ps(_mm512_srlv_epi32(words, shifts), table.values);
}

/** Values of the low nibbles of kLanes bytes, or of the high ones. */
template <bool High>
inline F lookupHalves(const Table16& table, const uint8_t* p) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm512_permutexvar_ps(High ? _mm512_srli_epi32(bytes, 4) : bytes, table.values);
}

/** Values of kLanes bytes from a book of 256. */
inline F lookupBytes(const float* book, const uint8_t* p) {
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm512_i32gather_ps(bytes, book, sizeof(float));
}

/** Of kLanes values: signs and seven digits of their fractions, and exponents. */
inline F joinExponents(const uint8_t* own, const uint8_t* exponents) {
  const __m512i digits = _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(own)));
  const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(exponents)));
  const __m512i kept =
      _mm512_and_si512(_mm512_slli_epi32(digits, 16), _mm512_set1_epi32(static_cast<int>(0x807f0000)));
  return _mm512_castsi512_ps(_mm512_or_si512(kept, _mm512_slli_epi32(e, 23)));
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
