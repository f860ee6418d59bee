// Factors of packed formats as float32: float16 by arithmetic, since they come one at a time.
#pragma once

#include <math.h>
#include <string.h>

#include "operands.h"

namespace airllm::AIRLLM_ISA {
namespace {

inline float floatOfBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

inline float halfOfBits(uint16_t bits) {
  const uint32_t magnitude = bits & 0x7fffu, sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  if (magnitude < 0x400) return (sign ? -1.0f : 1.0f) * static_cast<float>(magnitude) * 0x1p-24f;
  const uint32_t exponent = magnitude < 0x7c00 ? 112u << 23 : 224u << 23;
  return floatOfBits(sign | ((magnitude << 13) + exponent));
}

inline float halfAt(const uint8_t* p) {
  uint16_t bits;
  memcpy(&bits, p, sizeof bits);
  return halfOfBits(bits);
}

/** Factor `index` of a list in float32, float16 or bfloat16. */
inline float factorAt(const uint8_t* list, DType dtype, size_t index) {
  if (dtype == DType::kF32) {
    float value;
    memcpy(&value, list + index * sizeof value, sizeof value);
    return value;
  }
  uint16_t bits;
  memcpy(&bits, list + index * sizeof bits, sizeof bits);
  return dtype == DType::kF16 ? halfOfBits(bits) : floatOfBits(static_cast<uint32_t>(bits) << 16);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
