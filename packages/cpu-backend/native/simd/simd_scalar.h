// Eight float32 lanes in plain C++, for machines without a known instruction set. Multiplies and adds round
// separately: without hardware a fused one would be a slow library call.
#pragma once

#include <math.h>
#include <string.h>

#include "dtype_bytes.h"

namespace airllm::AIRLLM_ISA {
namespace {

struct F {
  float lane[8];
};
constexpr size_t kLanes = 8;
/** Rows of x in a register tile of `linear`; more would not fit the registers of a baseline machine. */
constexpr size_t kTileRows = 1;

template <typename Function>
inline F each(Function function) {
  F result;
  for (size_t i = 0; i < kLanes; i++) result.lane[i] = function(i);
  return result;
}

inline F set1(float value) {
  return each([&](size_t) { return value; });
}
inline F zero() { return set1(0.0f); }
inline F loadPartial(const float* p, size_t n) {
  F v = zero();
  memcpy(v.lane, p, n * sizeof(float));
  return v;
}
inline F load(const float* p) {
  return each([&](size_t i) { return p[i]; });
}
inline void storePartial(float* p, F v, size_t n) { memcpy(p, v.lane, n * sizeof(float)); }
inline void store(float* p, F v) { memcpy(p, v.lane, sizeof v.lane); }

inline float fromBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/** IEEE binary16 to binary32, exact; subnormals through a product with 2⁻²⁴. */
inline float widenF16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 31u;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  if (exponent == 31) return fromBits(sign | 0x7f800000u | (mantissa << 13));
  return fromBits(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

/** f8e4m3 through f16, whose exponent is one bit longer: the same bits mean 2⁻⁸ of the value. */
inline float widenF8(uint8_t bits) {
  const uint16_t sign = static_cast<uint16_t>((bits & 0x80u) << 8);
  if ((bits & 0x7fu) == 0x7fu) return widenF16(static_cast<uint16_t>(sign | 0x7f80u));
  return widenF16(static_cast<uint16_t>(sign | (bits & 0x7fu) << 7)) * 256.0f;
}

template <DType D>
inline F loadWeightPartial(const uint8_t* p, size_t n) {
  if constexpr (D == DType::kF32) {
    F v = zero();
    memcpy(v.lane, p, n * sizeof(float));
    return v;
  } else if constexpr (D == DType::kF8E4M3) {
    uint8_t bits[kLanes] = {};
    memcpy(bits, p, n);
    return each([&](size_t i) { return widenF8(bits[i]); });
  } else {
    uint16_t bits[kLanes] = {};
    memcpy(bits, p, n * sizeof(uint16_t));
    if constexpr (D == DType::kF16) return each([&](size_t i) { return widenF16(bits[i]); });
    return each([&](size_t i) { return fromBits(static_cast<uint32_t>(bits[i]) << 16); });
  }
}
template <DType D>
inline F loadWeight(const uint8_t* p) {
  return loadWeightPartial<D>(p, kLanes);
}

/** The 2 · kLanes values of bf16 at p, as float32. */
inline void widenTwo(const uint8_t* p, float* to) {
  store(to, loadWeight<DType::kBF16>(p));
  store(to + kLanes, loadWeight<DType::kBF16>(p + kLanes * kBytes<DType::kBF16>));
}

/** Values 0, 2, 4 … and 1, 3, 5 … of 2 · kLanes from p on. */
inline void loadPairs(const float* p, F& even, F& odd) {
  even = each([&](size_t i) { return p[2 * i]; });
  odd = each([&](size_t i) { return p[2 * i + 1]; });
}

inline F add(F a, F b) {
  return each([&](size_t i) { return a.lane[i] + b.lane[i]; });
}
inline F sub(F a, F b) {
  return each([&](size_t i) { return a.lane[i] - b.lane[i]; });
}
inline F mul(F a, F b) {
  return each([&](size_t i) { return a.lane[i] * b.lane[i]; });
}
inline F div(F a, F b) {
  return each([&](size_t i) { return a.lane[i] / b.lane[i]; });
}
inline F min(F a, F b) {
  return each([&](size_t i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline F max(F a, F b) {
  return each([&](size_t i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline F fma(F a, F b, F c) {
  return each([&](size_t i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
}
inline F roundNearest(F v) {
  return each([&](size_t i) { return nearbyintf(v.lane[i]); });
}
/** 2ⁿ of integral n within [-126, 127]; other lanes (NaN) give any value. */
inline F pow2(F n) {
  return each([&](size_t i) {
    const float lane = n.lane[i] >= -126.0f && n.lane[i] <= 127.0f ? n.lane[i] : 0.0f;
    return fromBits(static_cast<uint32_t>(static_cast<int32_t>(lane) + 127) << 23);
  });
}

/** Lanes added pairwise in a fixed tree: i with i + 4, then + 2, + 1. */
inline float sum(F v) {
  const float* l = v.lane;
  return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

/** The sums of four vectors. */
inline void sumFour(F a, F b, F c, F d, float* to) {
  to[0] = sum(a);
  to[1] = sum(b);
  to[2] = sum(c);
  to[3] = sum(d);
}

inline void prefetch(const void*) {}
inline void prefetchSecond(const void*) {}
inline void prefetchToWrite(const void*) {}

}  // namespace
}  // namespace airllm::AIRLLM_ISA

#include "packed_scalar.h"
