// code8 with AVX-512 VBMI: 64 codes at once, each byte of their values from a table of 128 in registers. It
// works for books whose second half mirrors the first, as the dynamic map of bitsandbytes does: code 127 is
// zero, codes 127 ± j are negatives of each other, and 255, which has no counterpart, may be anything.
#pragma once

#include <immintrin.h>

#include "codes.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr uint32_t kSignBit = 0x80000000u;

/** Dwords 0, 4, 8, 12, 1, 5 …: what interleaving bytes within 128-bit lanes undoes. */
inline __m512i lanesTransposed() {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

class MirroredCode8Steps : public CodeSteps {
 public:
  static bool fits(const Weight& weight) {
    if (!CodeSteps::fits(weight)) return false;
    uint32_t bits[256];
    memcpy(bits, weight.packing.codes, sizeof bits);
    uint32_t different = bits[127];
    for (size_t j = 1; j < 128; j++) different |= bits[127 + j] ^ bits[127 - j] ^ kSignBit;
    return different == 0;
  }

  explicit MirroredCode8Steps(const Weight& weight) : CodeSteps(weight) {
    uint32_t bits[256];
    memcpy(bits, weight.packing.codes, sizeof bits);
    // Code 255 is −128 of the codes around zero: its magnitude takes the place of zero's, its sign is turned.
    bits[127] = bits[255] ^ kSignBit;
    for (size_t plane = 0; plane < 4; plane++) {
      uint8_t bytes[128];
      for (size_t j = 0; j < 128; j++) bytes[j] = static_cast<uint8_t>(bits[127 + j] >> 8 * plane);
      for (size_t half = 0; half < 2; half++) planes_[plane][half] = _mm512_loadu_si512(bytes + 64 * half);
    }
  }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    const uint8_t* from = codesAt(row, 1, ahead);
    const __m512i codes = _mm512_permutexvar_epi32(lanesTransposed(), _mm512_loadu_si512(from));
    const __m512i around = _mm512_sub_epi8(codes, _mm512_set1_epi8(127));
    const __m512i magnitude = _mm512_abs_epi8(around);
    const __mmask64 nonzero = _mm512_test_epi8_mask(around, around);
    const auto bytes = [&](size_t plane) {
      return _mm512_maskz_permutex2var_epi8(nonzero, planes_[plane][0], magnitude, planes_[plane][1]);
    };
    const __m512i byte0 = bytes(0), byte1 = bytes(1), byte2 = bytes(2);
    // bytes ^ (around & 0x80)
    const __m512i byte3 =
        _mm512_ternarylogic_epi32(bytes(3), around, _mm512_set1_epi8(static_cast<char>(0x80)), 0x78);
    const __m512i low0 = _mm512_unpacklo_epi8(byte0, byte1), low1 = _mm512_unpackhi_epi8(byte0, byte1);
    const __m512i high0 = _mm512_unpacklo_epi8(byte2, byte3), high1 = _mm512_unpackhi_epi8(byte2, byte3);
    const F factors = set1(factor(row));
    const auto value = [&](__m512i bits) { return mul(_mm512_castsi512_ps(bits), factors); };
    sink(0, value(_mm512_unpacklo_epi16(low0, high0)));
    sink(16, value(_mm512_unpackhi_epi16(low0, high0)));
    sink(32, value(_mm512_unpacklo_epi16(low1, high1)));
    sink(48, value(_mm512_unpackhi_epi16(low1, high1)));
    row.position += kColumns;
  }

 private:
  __m512i planes_[4][2];
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
