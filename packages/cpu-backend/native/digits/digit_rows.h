// Rows of x as whole numbers of four digits to the base 256, each from −128 to 127, so that their products
// with integers are exact:
//   x[t, k] = 2⁻ˢ · Σ 256ᵈ · digit[t, k, d]      s of the row: its largest value has 29 or 30 bits
// What is cut off is at most 2⁻³⁰ of the row's largest value. As the second operand of a product of tiles:
//   kApart = 1 row    [K / 4][4 digits][4 k]
//   kApart = 4 rows   [K / 4][4 rows][4 digits][4 k], absent rows are zero
#pragma once

#include <math.h>
#include <string.h>

#include "operands.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kDigits = 4;
/** Rows of x that share a product of tiles. */
constexpr size_t kRowsTogether = 4;

/** The largest magnitude of a row as bits, which are ordered like it; NaN and infinity are beyond the rest.
 */
inline uint32_t largestBits(const float* x, size_t count) {
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  __m512i largest = _mm512_setzero_si512();
  size_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_castps_si512(load(x + k)), magnitude));
  }
  return static_cast<uint32_t>(_mm512_reduce_max_epu32(largest));
}

/** s of a row: 2ˢ times its largest value is below 2³⁰. Bounded so that 2ˢ and 2⁻ˢ are normal numbers. */
inline int digitShift(uint32_t largest) {
  const int exponent = static_cast<int>(largest >> 23) - 127;
  return exponent < -97 ? 126 : 29 - exponent;
}

/** Digits of `count` values, a multiple of 16, to every kApart-th 16 bytes from `to` on. */
template <size_t Apart>
inline void packDigits(const float* x, size_t count, int shift, int8_t* to) {
  // Adding half the base to all digits but the first makes them those of a sum; taking it off makes them
  // signed.
  const __m512i halves = _mm512_set1_epi32(0x00808080);
  const __m512i byDigit =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const F factor = set1(ldexpf(1, shift));
  for (size_t k = 0; k < count; k += kLanes, to += 4 * Apart * 16) {
    const __m512i whole = _mm512_cvtps_epi32(mul(load(x + k), factor));
    const __m512i digits = _mm512_xor_si512(_mm512_add_epi32(whole, halves), halves);
    const __m512i quads = _mm512_shuffle_epi8(digits, byDigit);
    if constexpr (Apart == 1) {
      _mm512_storeu_si512(to, quads);
    } else {
      const auto quad = [&](size_t i) { return reinterpret_cast<__m128i*>(to + i * Apart * 16); };
      _mm_storeu_si128(quad(0), _mm512_castsi512_si128(quads));
      _mm_storeu_si128(quad(1), _mm512_extracti32x4_epi32(quads, 1));
      _mm_storeu_si128(quad(2), _mm512_extracti32x4_epi32(quads, 2));
      _mm_storeu_si128(quad(3), _mm512_extracti32x4_epi32(quads, 3));
    }
  }
}

/** Up to kApart rows of x, packed, with the factor 256ᵈ · 2⁻ˢ of each of their digits. */
template <size_t Apart>
struct DigitRows {
  const int8_t* digits;
  size_t rows;
  alignas(64) float factors[Apart * kDigits];

  /** Rows [t, t + count) of x, of whole multiples of 64 columns; `to` has room for Apart · 4 · cols bytes. */
  DigitRows(const Matrix& x, size_t t, size_t count, int8_t* to) : digits(to), rows(count) {
    if (count < Apart) memset(to, 0, Apart * kDigits * x.cols);
    for (size_t r = 0; r < Apart; r++) {
      const float* from = x.data + (t + (r < count ? r : 0)) * x.stride;
      const int shift = digitShift(largestBits(from, x.cols));
      if (r < count) packDigits<Apart>(from, x.cols, shift, to + r * 16);
      for (size_t d = 0; d < kDigits; d++) {
        factors[r * kDigits + d] = ldexpf(1, 8 * static_cast<int>(d) - shift);
      }
    }
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
