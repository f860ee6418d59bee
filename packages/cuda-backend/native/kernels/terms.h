// float32 products on tensor cores: an operand is the sum of up to three bfloat16 terms, and the products of
// terms that matter to float32 are added up, each of them exact.
#pragma once

#include "device.h"

namespace airllm {

constexpr int kTerms = 3;

/** Operands of m16n8k16 as a lane holds them (PTX ISA, mma.m16n8k16): pairs of bfloat16, the lower column in
 * the lower half. */
struct FragmentA {
  uint32_t pair[4];
};
struct FragmentB {
  uint32_t pair[2];
};

/** To bfloat16, to nearest and even. */
DEVICE uint32_t nearestBf16(float value) {
  const uint32_t bits = floatToBits(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/**
 * Two values as pairs of terms. Cut off at eight bits, the three terms hold all 24 bits of a float32, and no
 * term overflows. With `fast` the first is the nearest bfloat16 and the others are not used.
 */
DEVICE void splitPair(float low, float high, bool fast, uint32_t* terms) {
  if (fast) {
    terms[0] = nearestBf16(low) | nearestBf16(high) << 16;
    return;
  }
  UNROLL for (int i = 0; i < kTerms; i++) {
    const uint32_t a = floatToBits(low) & 0xffff0000u, b = floatToBits(high) & 0xffff0000u;
    terms[i] = a >> 16 | b;
    low -= bitsToFloat(a);
    high -= bitsToFloat(b);
  }
}

#if !defined(__CUDACC__)

/** sums[16, 8] += a[16, 16] · b[16, 8] over the warp. */
inline void multiplyFragments(float (&sums)[4], const FragmentA& a, const FragmentB& b) {
  struct {
    FragmentA a;
    FragmentB b;
  } mine{a, b};
  const emulator::Deposit* all = emulator::exchange(&mine, sizeof mine);
  const int g = laneIndex() >> 2, t = laneIndex() & 3;
  const auto low = [](uint32_t pair) { return bitsToFloat(pair << 16); };
  const auto high = [](uint32_t pair) { return bitsToFloat(pair & 0xffff0000u); };
  for (int j = 0; j < 4; j++) {
    const uint32_t* cols = nullptr;
    float sum = sums[j];
    for (int q = 0; q < 4; q++) {
      const uint32_t* left = all[g * 4 + q].words;
      cols = all[(2 * t + (j & 1)) * 4 + q].words + 4;
      for (int half = 0; half < 2; half++) {
        const uint32_t x = left[2 * half + (j >> 1)], y = cols[half];
        sum += low(x) * low(y) + high(x) * high(y);
      }
    }
    sums[j] = sum;
  }
}

#elif __CUDA_ARCH__ >= 800

DEVICE void multiplyFragments(float (&sums)[4], const FragmentA& a, const FragmentB& b) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "r"(b.pair[0]), "r"(b.pair[1]));
}

#else

struct Sums {
  float of[4];
};

/** Turing has no tensor cores for bfloat16: the same sums by shuffles, in float32. Called, since kernels hold
 * dozens of these. */
DEVICE_CALL Sums multiplied(Sums sums, FragmentA a, FragmentB b) {
  const int g = laneIndex() >> 2, t = laneIndex() & 3;
  UNROLL for (int q = 0; q < 4; q++) {
    uint32_t left[4], cols[2][2];
    UNROLL for (int i = 0; i < 4; i++) left[i] = __shfl_sync(0xffffffffu, a.pair[i], g * 4 + q);
    UNROLL for (int c = 0; c < 2; c++) {
      UNROLL for (int i = 0; i < 2; i++) cols[c][i] =
          __shfl_sync(0xffffffffu, b.pair[i], (2 * t + c) * 4 + q);
    }
    UNROLL for (int j = 0; j < 4; j++) {
      UNROLL for (int half = 0; half < 2; half++) {
        const uint32_t x = left[2 * half + (j >> 1)], y = cols[j & 1][half];
        sums.of[j] = fmaf(bitsToFloat(x << 16), bitsToFloat(y << 16), sums.of[j]);
        sums.of[j] = fmaf(bitsToFloat(x & 0xffff0000u), bitsToFloat(y & 0xffff0000u), sums.of[j]);
      }
    }
  }
  return sums;
}

DEVICE void multiplyFragments(float (&sums)[4], const FragmentA& a, const FragmentB& b) {
  const Sums found = multiplied({{sums[0], sums[1], sums[2], sums[3]}}, a, b);
  UNROLL for (int j = 0; j < 4; j++) sums[j] = found.of[j];
}

#endif

}  // namespace airllm
