// Sixty-four values at a time, as plain loops of sixteen lanes that compilers turn into the vectors of the
// instruction set. Lane counts are fixed, so sums have the same bits on every set.
#pragma once

#include <string.h>

#include "../kernels.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kTile = 64;
constexpr size_t kLanes = 16;
/** Magnitude bits from here on are Inf and NaN. */
constexpr uint32_t kInfinityBits = 0x7f800000u;

inline float floatFromBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/** float16 → float32 by bits: the exponent moves up, subnormals are normalised by a subtraction, exact. */
inline float widenF16(uint32_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t shifted = (half & 0x7fffu) << 13;
  const uint32_t exponent = shifted & 0x0f800000u;
  const uint32_t rebased = shifted + 0x38000000u;
  const uint32_t special = rebased + 0x38000000u;
  float subnormal = floatFromBits(rebased + 0x00800000u) - floatFromBits(0x38800000u);
  uint32_t subnormalBits;
  memcpy(&subnormalBits, &subnormal, sizeof subnormalBits);
  const uint32_t magnitude = exponent == 0x0f800000u ? special : exponent == 0 ? subnormalBits : rebased;
  return floatFromBits(magnitude | sign);
}

/** `count` ≤ 64 elements at any address; the rest of the tile is zero. */
template <SourceDType D>
inline void loadTile(const uint8_t* source, size_t count, float* x) {
  if constexpr (D == SourceDType::kF32) {
    if (count < kTile) memset(x, 0, kTile * sizeof(float));
    memcpy(x, source, count * sizeof(float));
  } else {
    uint16_t raw[kTile];
    if (count < kTile) memset(raw, 0, sizeof raw);
    memcpy(raw, source, count * sizeof(uint16_t));
    if constexpr (D == SourceDType::kBF16) {
      for (size_t i = 0; i < kTile; i++) x[i] = floatFromBits(static_cast<uint32_t>(raw[i]) << 16);
    } else {
      for (size_t i = 0; i < kTile; i++) x[i] = widenF16(raw[i]);
    }
  }
}

/** Largest magnitudes, lane by lane, as bits: ordered as the values are, NaN above Inf above all. */
struct MaxBits {
  uint32_t lane[kLanes] = {};

  inline void add(const float* x) {
    uint32_t bits[kTile];
    memcpy(bits, x, sizeof bits);
    for (size_t i = 0; i < kTile; i += kLanes) {
      for (size_t l = 0; l < kLanes; l++) {
        const uint32_t magnitude = bits[i + l] & 0x7fffffffu;
        lane[l] = magnitude > lane[l] ? magnitude : lane[l];
      }
    }
  }

  inline uint32_t value() const {
    uint32_t most = 0;
    for (size_t l = 0; l < kLanes; l++) most = lane[l] > most ? lane[l] : most;
    return most;
  }
};

/** Error sums by lanes: float32 within a block, in units of its factor, then float64. */
struct LaneSums {
  double source[kLanes] = {};
  double error[kLanes] = {};
  double cross[kLanes] = {};
  float largest[kLanes] = {};
  float blockSource[kLanes] = {};
  float blockError[kLanes] = {};
  float blockCross[kLanes] = {};
  float blockLargest[kLanes] = {};

  /** Scaled values and what their codes stand for. */
  inline void add(const float* scaled, const float* coded) {
    for (size_t i = 0; i < kTile; i += kLanes) {
      for (size_t l = 0; l < kLanes; l++) {
        const float s = scaled[i + l], d = s - coded[i + l], magnitude = d < 0 ? -d : d;
        blockSource[l] += s * s;
        blockError[l] += d * d;
        blockCross[l] += s * d;
        blockLargest[l] = magnitude > blockLargest[l] ? magnitude : blockLargest[l];
      }
    }
  }

  inline void endBlock(float factor) {
    const double square = static_cast<double>(factor) * static_cast<double>(factor);
    const float magnitude = factor < 0 ? -factor : factor;
    for (size_t l = 0; l < kLanes; l++) {
      source[l] += square * static_cast<double>(blockSource[l]);
      error[l] += square * static_cast<double>(blockError[l]);
      cross[l] += square * static_cast<double>(blockCross[l]);
      const float most = magnitude * blockLargest[l];
      largest[l] = most > largest[l] ? most : largest[l];
      blockSource[l] = blockError[l] = blockCross[l] = blockLargest[l] = 0;
    }
  }

  inline void addTo(ErrorSums& sums) const {
    for (size_t l = 0; l < kLanes; l++) {
      sums.source += source[l];
      sums.error += error[l];
      sums.cross += cross[l];
      const double most = static_cast<double>(largest[l]);
      sums.largest = most > sums.largest ? most : sums.largest;
    }
  }
};

/** Index of the first NaN or Inf of `count` elements from `source` on. */
template <SourceDType D>
inline size_t firstNonFiniteOf(const uint8_t* source, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float x[kTile];
    loadTile<D>(source + i * sizeOf(D), 1, x);
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    if ((bits & 0x7fffffffu) >= kInfinityBits) return i;
  }
  return count;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
