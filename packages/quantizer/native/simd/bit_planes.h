// Three-bit codes of 64 columns as three planes of 64 bits, and back: bit j of plane b is bit b of code j.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace airllm::AIRLLM_ISA {
namespace {

#if defined(__AVX512BW__)

inline void toPlanes(const uint8_t* codes, uint64_t* planes) {
  const __m512i v = _mm512_loadu_si512(codes);
  for (int bit = 0; bit < 3; bit++)
    planes[bit] = _mm512_test_epi8_mask(v, _mm512_set1_epi8(static_cast<char>(1 << bit)));
}

inline void fromPlanes(const uint64_t* planes, uint8_t* codes) {
  const __m512i low = _mm512_maskz_set1_epi8(planes[0], 1), middle = _mm512_maskz_set1_epi8(planes[1], 2);
  const __m512i high = _mm512_maskz_set1_epi8(planes[2], 4);
  _mm512_storeu_si512(codes, _mm512_or_si512(_mm512_or_si512(low, middle), high));
}

#else

#if defined(__AVX2__)

inline void toPlanes(const uint8_t* codes, uint64_t* planes) {
  const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + 32));
  for (int bit = 0; bit < 3; bit++) {
    // Bits below move into the sign of each byte; what crosses a byte's border lands below it.
    const uint32_t low = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(first, 7 - bit)));
    const uint32_t high = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(second, 7 - bit)));
    planes[bit] = static_cast<uint64_t>(high) << 32 | low;
  }
}

#else

inline void toPlanes(const uint8_t* codes, uint64_t* planes) {
  for (int bit = 0; bit < 3; bit++) planes[bit] = 0;
  for (size_t byte = 0; byte < 8; byte++) {
    uint64_t eight = 0;
    for (size_t j = 0; j < 8; j++) eight |= static_cast<uint64_t>(codes[8 * byte + j]) << 8 * j;
    for (int bit = 0; bit < 3; bit++) {
      // The product moves bit 8j of the factor to bit 56 + j.
      const uint64_t bits = ((eight >> bit & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
      planes[bit] |= bits << 8 * byte;
    }
  }
}

#endif

/** Bit j of the argument as byte j, 0 or 1. */
inline uint64_t spread(uint64_t byte) {
  const uint64_t selected = (byte * 0x0101010101010101u) & 0x8040201008040201u;
  return ((selected + 0x7f7f7f7f7f7f7f7fu) >> 7) & 0x0101010101010101u;
}

inline void fromPlanes(const uint64_t* planes, uint8_t* codes) {
  for (size_t byte = 0; byte < 8; byte++) {
    uint64_t eight = 0;
    for (int bit = 0; bit < 3; bit++) eight |= spread(planes[bit] >> 8 * byte & 0xff) << bit;
    for (size_t j = 0; j < 8; j++) codes[8 * byte + j] = static_cast<uint8_t>(eight >> 8 * j);
  }
}

#endif

}  // namespace
}  // namespace airllm::AIRLLM_ISA
