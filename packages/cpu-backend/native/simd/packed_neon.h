// Values of packed formats as vectors, over AArch64 Advanced SIMD.
#pragma once

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

/** kLanes bytes, zero-extended. */
inline uint32x4_t widenBytes(const uint8_t* p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(word))));
}

/** kLanes signed bytes as float32. */
inline F loadInt8(const uint8_t* p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(word)))));
}

/** 16 values to be looked up by nibbles: 64 bytes, which one instruction looks up. */
struct Table16 {
  uint8x16x4_t bytes;
};

/** 16 float32 at any byte address. */
inline Table16 table16(const void* values) {
  Table16 table;
  AIRLLM_UNROLL for (int i = 0; i < 4; i++) table.bytes.val[i] =
      vld1q_u8(static_cast<const uint8_t*>(values) + 16 * i);
  return table;
}
/** values[i] · factor, rounded to float32, minus `offset`, rounded again. */
inline Table16 scaled(const Table16& table, float factor, float offset = 0) {
  Table16 result;
  AIRLLM_UNROLL for (int i = 0; i < 4; i++) {
    const float32x4_t product = vmulq_n_f32(vreinterpretq_f32_u8(table.bytes.val[i]), factor);
    result.bytes.val[i] = vreinterpretq_u8_f32(vsubq_f32(product, vdupq_n_f32(offset)));
  }
  return result;
}

/** Lanes below 16. */
inline F lookup(const Table16& table, uint32x4_t nibbles) {
  // Bytes 4i … 4i + 3 of the table in every lane.
  const uint32x4_t bytes = vmlaq_n_u32(vdupq_n_u32(0x03020100), nibbles, 0x04040404);
  return vreinterpretq_f32_u8(vqtbl4q_u8(table.bytes, vreinterpretq_u8_u32(bytes)));
}

/** Values of kLanes nibbles, from the kLanes / 2 bytes at p, whose high nibble is the first or the second. */
template <bool HighFirst>
inline F lookupNibbles(const Table16& table, const uint8_t* p) {
  uint16_t word;
  memcpy(&word, p, sizeof word);
  constexpr int32_t kShifts[4] = {HighFirst ? -4 : 0, HighFirst ? 0 : -4, HighFirst ? -12 : -8,
                                  HighFirst ? -8 : -12};
  const uint32x4_t shifted = vshlq_u32(vdupq_n_u32(word), vld1q_s32(kShifts));
  return lookup(table, vandq_u32(shifted, vdupq_n_u32(15)));
}

/** Values of the low nibbles of kLanes bytes, or of the high ones. */
template <bool High>
inline F lookupHalves(const Table16& table, const uint8_t* p) {
  const uint32x4_t bytes = widenBytes(p);
  return lookup(table, High ? vshrq_n_u32(bytes, 4) : vandq_u32(bytes, vdupq_n_u32(15)));
}

/** Values of kLanes bytes from a book of 256. */
inline F lookupBytes(const float* book, const uint8_t* p) {
  const float lanes[kLanes] = {book[p[0]], book[p[1]], book[p[2]], book[p[3]]};
  return vld1q_f32(lanes);
}

/** Of kLanes values: signs and seven digits of their fractions, and exponents. */
inline F joinExponents(const uint8_t* own, const uint8_t* exponents) {
  const uint32x4_t digits = widenBytes(own), e = widenBytes(exponents);
  const uint32x4_t signs = vshlq_n_u32(vandq_u32(digits, vdupq_n_u32(0x80)), 24);
  const uint32x4_t fractions = vshlq_n_u32(vandq_u32(digits, vdupq_n_u32(0x7f)), 16);
  return vreinterpretq_f32_u32(vorrq_u32(vorrq_u32(signs, fractions), vshlq_n_u32(e, 23)));
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
