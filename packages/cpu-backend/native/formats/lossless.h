// bf16z to float32, bit for bit: sign and mantissa from the weight's own byte; the exponent is base − code,
// or where the code is 7 the next of the row's escapes, 0 once there are none left.
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr unsigned kEscape = 7;

/** The three bit planes of one group of 64 columns. */
struct LosslessGroup {
  uint64_t planes[3];

  explicit LosslessGroup(const uint8_t* from) { memcpy(planes, from, sizeof planes); }
  uint64_t escapes() const { return planes[0] & planes[1] & planes[2]; }
  unsigned code(size_t c) const {
    return static_cast<unsigned>((planes[0] >> c & 1) | (planes[1] >> c & 1) << 1 |
                                 (planes[2] >> c & 1) << 2);
  }
};

inline size_t bitCount(uint64_t bits) {
  size_t count = 0;
  for (; bits != 0; bits &= bits - 1) count++;
  return count;
}

/** Columns [col, col + count) of a row; `col` is a multiple of kLosslessGroup. */
inline void decodeLossless(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  const Packing& packing = weight.packing;
  const size_t groups = (weight.cols - 1) / kLosslessGroup + 1;
  const uint8_t* codes = packing.codes + row * groups * kLosslessGroupBytes;
  const uint8_t* escapes = packing.factors + row * packing.escapeBytes;
  size_t next = 1;
  for (size_t g = 0; g < col / kLosslessGroup; g++) {
    next += bitCount(LosslessGroup(codes + g * kLosslessGroupBytes).escapes());
  }
  const uint8_t* from = weight.data + row * weight.cols;
  for (size_t c = col; c < col + count; c++) {
    const unsigned code =
        LosslessGroup(codes + c / kLosslessGroup * kLosslessGroupBytes).code(c % kLosslessGroup);
    uint32_t exponent = (escapes[0] - code) & 255;
    if (code == kEscape) {
      exponent = next < packing.escapeBytes ? escapes[next] : 0;
      next++;
    }
    const uint32_t byte = from[c];
    out[c - col] = floatOfBits((byte & 128) << 24 | exponent << 23 | (byte & 127) << 16);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
