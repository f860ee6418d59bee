// MXFP4 (OCP Microscaling Formats 1.0) to float32: two values of 4 bits in a byte, a power of two for
// each 32.
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Both values of every byte. */
struct MxPairs {
  float values[256][2];
};

constexpr MxPairs mxPairs() {
  constexpr float kMagnitudes[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  MxPairs pairs{};
  for (int byte = 0; byte < 256; byte++) {
    for (int i = 0; i < 2; i++) {
      const int nibble = i == 0 ? byte & 15 : byte >> 4;
      pairs.values[byte][i] = nibble & 8 ? -kMagnitudes[nibble & 7] : kMagnitudes[nibble & 7];
    }
  }
  return pairs;
}

constexpr MxPairs kMxPairs = mxPairs();

/** E8M0: 2^(s − 127), of which s = 0 is subnormal and s = 255 no number. */
inline float mxScale(uint8_t s) {
  return floatOfBits(s == 0 ? 0x00400000u : s == 255 ? 0x7fc00000u : static_cast<uint32_t>(s) << 23);
}

/** Columns [col, col + count) of a row, whole blocks of 32. */
inline void decodeMx(const Weight& weight, size_t row, size_t col, size_t count, float* __restrict out) {
  const size_t first = row * weight.cols + col;
  const uint8_t* from = weight.data + first / 2;
  const uint8_t* scales = weight.packing.factors + first / 32;
  for (size_t c = 0; c < count; c += 32, from += 16, scales++) {
    for (size_t i = 0; i < 16; i++) memcpy(out + c + 2 * i, kMxPairs.values[from[i]], 2 * sizeof(float));
    const float scale = mxScale(*scales);
    for (size_t i = 0; i < 32; i++) out[c + i] *= scale;
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
