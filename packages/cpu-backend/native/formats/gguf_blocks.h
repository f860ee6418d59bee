// Blocks of GGUF (llama.cpp, ggml-common.h) to float32. Products are exact, differences are rounded once, as
// in the reference backend; loops have fixed lengths, which compilers turn into vectors.
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** d f16, 32 × int8: d · q. */
struct Q8Block {
  static constexpr size_t kElements = 32, kBytes = 34;
  static void decode(const uint8_t* __restrict from, float* __restrict to) {
    const float d = halfAt(from);
    for (size_t i = 0; i < 32; i++) to[i] = d * static_cast<float>(static_cast<int8_t>(from[2 + i]));
  }
};

/** d f16, 16 bytes of a low nibble for value i and a high one for value 16 + i: d · (q − 8). */
struct Q4Block {
  static constexpr size_t kElements = 32, kBytes = 18;
  static void decode(const uint8_t* __restrict from, float* __restrict to) {
    const float d = halfAt(from);
    for (size_t half = 0; half < 2; half++) {
      const int shift = half == 0 ? 0 : 4;
      for (size_t i = 0; i < 16; i++) {
        to[16 * half + i] = d * static_cast<float>((from[2 + i] >> shift & 15) - 8);
      }
    }
  }
};

/** d, dmin f16, 12 bytes of eight 6-bit scales and minima, 128 bytes of nibbles: d · scale · q − dmin · min.
 */
struct Q4KBlock {
  static constexpr size_t kElements = 256, kBytes = 144;
  static void decode(const uint8_t* __restrict from, float* __restrict to) {
    const float d = halfAt(from), dmin = halfAt(from + 2);
    const uint8_t* packed = from + 4;
    for (size_t run = 0; run < 8; run++) {
      const int scale = run < 4 ? packed[run] & 63 : (packed[run + 4] & 15) | (packed[run - 4] >> 6) << 4;
      const int least = run < 4 ? packed[run + 4] & 63 : packed[run + 4] >> 4 | (packed[run] >> 6) << 4;
      const float factor = d * static_cast<float>(scale), offset = dmin * static_cast<float>(least);
      const uint8_t* nibbles = from + 16 + run / 2 * 32;
      const int shift = run % 2 == 0 ? 0 : 4;
      for (size_t i = 0; i < 32; i++) {
        to[32 * run + i] = factor * static_cast<float>(nibbles[i] >> shift & 15) - offset;
      }
    }
  }
};

/**
 * 128 bytes of low nibbles, 64 of pairs of high bits, 16 × int8 scales, d f16: d · scale · (q − 32). Of each
 * half, value 32j + i has its nibble in byte 32(j mod 2) + i, high for j ≥ 2, and its pair at bit 2j of byte
 * i.
 */
struct Q6KBlock {
  static constexpr size_t kElements = 256, kBytes = 210;
  static void decode(const uint8_t* __restrict from, float* __restrict to) {
    const float d = halfAt(from + 208);
    for (size_t run = 0; run < 16; run++) {
      const size_t half = run / 8, j = run / 2 % 4, start = run % 2 * 16;
      const uint8_t* low = from + 64 * half + 32 * (j % 2) + start;
      const uint8_t* high = from + 128 + 32 * half + start;
      const int lowShift = j < 2 ? 0 : 4, highShift = static_cast<int>(2 * j);
      const float factor = d * static_cast<float>(static_cast<int8_t>(from[192 + run]));
      for (size_t i = 0; i < 16; i++) {
        const int q = (low[i] >> lowShift & 15) | (high[i] >> highShift & 3) << 4;
        to[16 * run + i] = factor * static_cast<float>(q - 32);
      }
    }
  }
};

/** Columns [col, col + count) of a row, whole blocks. */
template <typename Block>
void decodeBlocks(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  const uint8_t* from = weight.data + (row * weight.cols + col) / Block::kElements * Block::kBytes;
  for (size_t c = 0; c < count; c += Block::kElements, from += Block::kBytes) Block::decode(from, out + c);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
