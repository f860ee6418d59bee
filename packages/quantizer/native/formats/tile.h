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

/** Copies `count` ≤ 64 of a tile's items. Nearly all tiles are whole, and a copy of known length is a few
 * moves. */
template <typename T>
inline void copyTile(void* to, const void* from, size_t count) {
  if (count == kTile) {
    memcpy(to, from, kTile * sizeof(T));
  } else {
    memcpy(to, from, count * sizeof(T));
  }
}

/** Stores a nibble for each of `count` of 64 bytes below 16: the even ones high (`HighFirst`) or low. */
template <bool HighFirst>
inline void storeNibbles(const uint8_t* codes, uint8_t* to, size_t count) {
  uint16_t pairs[kTile / 2];
  uint8_t bytes[kTile / 2];
  for (size_t i = 0; i < kTile / 2; i++) {
    pairs[i] = static_cast<uint16_t>(codes[2 * i] | codes[2 * i + 1] << 8);
  }
  for (size_t i = 0; i < kTile / 2; i++) {
    bytes[i] = static_cast<uint8_t>(HighFirst ? pairs[i] << 4 | pairs[i] >> 8 : pairs[i] | pairs[i] >> 4);
  }
  if (count == kTile) {
    memcpy(to, bytes, kTile / 2);
  } else {
    memcpy(to, bytes, (count + 1) / 2);
  }
}

/** `count` ≤ 64 elements at any address; the rest of the tile is zero. */
template <SourceDType D>
inline void loadTile(const uint8_t* source, size_t count, float* x) {
  if constexpr (D == SourceDType::kF32) {
    if (count < kTile) memset(x, 0, kTile * sizeof(float));
    copyTile<float>(x, source, count);
  } else {
    uint16_t raw[kTile];
    if (count < kTile) memset(raw, 0, sizeof raw);
    copyTile<uint16_t>(raw, source, count);
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
    // Copies that stay in registers for the whole tile.
    float squares[kLanes], errors[kLanes], crosses[kLanes], most[kLanes];
    memcpy(squares, blockSource, sizeof squares);
    memcpy(errors, blockError, sizeof errors);
    memcpy(crosses, blockCross, sizeof crosses);
    memcpy(most, blockLargest, sizeof most);
    for (size_t i = 0; i < kTile; i += kLanes) {
      for (size_t l = 0; l < kLanes; l++) {
        const float s = scaled[i + l], d = s - coded[i + l], magnitude = d < 0 ? -d : d;
        squares[l] += s * s;
        errors[l] += d * d;
        crosses[l] += s * d;
        most[l] = magnitude > most[l] ? magnitude : most[l];
      }
    }
    memcpy(blockSource, squares, sizeof squares);
    memcpy(blockError, errors, sizeof errors);
    memcpy(blockCross, crosses, sizeof crosses);
    memcpy(blockLargest, most, sizeof most);
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
