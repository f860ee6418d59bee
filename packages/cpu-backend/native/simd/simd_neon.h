// Vectors of 4 float32 lanes over AArch64 Advanced SIMD (always present there, FMA and f16 conversion
// included).
#pragma once

#include <arm_neon.h>
#include <string.h>

#include "dtype_bytes.h"

namespace airllm::AIRLLM_ISA {
namespace {

using F = float32x4_t;
constexpr size_t kLanes = 4;
/** Rows of x in a register tile of `linear` with 4 rows of the weight: 24 accumulators of 32 registers. */
constexpr size_t kTileRows = 6;

inline F zero() { return vdupq_n_f32(0.0f); }
inline F set1(float value) { return vdupq_n_f32(value); }
inline F load(const float* p) { return vld1q_f32(p); }
inline F loadPartial(const float* p, size_t n) {
  float lanes[kLanes] = {};
  memcpy(lanes, p, n * sizeof(float));
  return vld1q_f32(lanes);
}
inline void store(float* p, F v) { vst1q_f32(p, v); }
inline void storePartial(float* p, F v, size_t n) {
  float lanes[kLanes];
  vst1q_f32(lanes, v);
  memcpy(p, lanes, n * sizeof(float));
}

/**
 * Four f8e4m3 through f16, whose exponent is one bit longer: the same bits mean 2⁻⁸ of the value, subnormals
 * included. Only NaN (all ones) carries into the exponent's highest bit when the last bit is added.
 */
inline F widenF8(const uint8_t* p) {
  uint8_t bytes[8] = {};
  memcpy(bytes, p, 4);
  const int16x4_t extended = vget_low_s16(vmovl_s8(vreinterpret_s8_u8(vld1_u8(bytes))));
  const uint16x4_t wide = vshl_n_u16(vreinterpret_u16_s16(extended), 7);
  const uint16x4_t half = vand_u16(wide, vdup_n_u16(0xbfff));
  const uint16x4_t nan = vand_u16(vadd_u16(half, vdup_n_u16(0x0080)), vdup_n_u16(0x4000));
  return vmulq_n_f32(vcvt_f32_f16(vreinterpret_f16_u16(vorr_u16(half, nan))), 256.0f);
}

template <DType D>
inline F loadWeight(const uint8_t* p) {
  if constexpr (D == DType::kF32) {
    return vreinterpretq_f32_u8(vld1q_u8(p));
  } else if constexpr (D == DType::kF8E4M3) {
    return widenF8(p);
  } else {
    const uint16x4_t bits = vreinterpret_u16_u8(vld1_u8(p));
    if constexpr (D == DType::kF16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
    return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
  }
}

template <DType D>
inline F loadWeightPartial(const uint8_t* p, size_t n) {
  uint8_t lanes[kLanes * 4] = {};
  memcpy(lanes, p, n * kBytes<D>);
  return loadWeight<D>(lanes);
}

/** The 2 · kLanes values of bf16 at p, as float32. */
inline void widenTwo(const uint8_t* p, float* to) {
  store(to, loadWeight<DType::kBF16>(p));
  store(to + kLanes, loadWeight<DType::kBF16>(p + kLanes * kBytes<DType::kBF16>));
}

/** Values 0, 2, 4, 6 and 1, 3, 5, 7 from p on. */
inline void loadPairs(const float* p, F& even, F& odd) {
  const float32x4x2_t pairs = vld2q_f32(p);
  even = pairs.val[0];
  odd = pairs.val[1];
}

inline F add(F a, F b) { return vaddq_f32(a, b); }
inline F sub(F a, F b) { return vsubq_f32(a, b); }
inline F mul(F a, F b) { return vmulq_f32(a, b); }
inline F div(F a, F b) { return vdivq_f32(a, b); }
inline F min(F a, F b) { return vminq_f32(a, b); }
inline F max(F a, F b) { return vmaxq_f32(a, b); }
inline F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
inline F roundNearest(F v) { return vrndnq_f32(v); }
/** 2ⁿ of integral n within [-126, 127]. */
inline F pow2(F n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
}

/** Lanes added pairwise: (0 + 2) + (1 + 3). */
inline float sum(F v) {
  const float32x2_t pair = vadd_f32(vget_low_f32(v), vget_high_f32(v));
  return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}

/** The sums of four vectors. */
inline void sumFour(F a, F b, F c, F d, float* to) {
  to[0] = sum(a);
  to[1] = sum(b);
  to[2] = sum(c);
  to[3] = sum(d);
}

inline void prefetch(const void* p) { __builtin_prefetch(p); }
/** Into the second-level cache alone. */
inline void prefetchSecond(const void* p) { __builtin_prefetch(p, 0, 2); }
inline void prefetchToWrite(const void* p) { __builtin_prefetch(p, 1, 3); }

}  // namespace
}  // namespace airllm::AIRLLM_ISA

#include "packed_neon.h"
