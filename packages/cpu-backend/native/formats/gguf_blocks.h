// Blocks of GGUF (llama.cpp, ggml-common.h) to float32. Products are exact, differences are rounded once, as
// in the reference backend.
#pragma once

#include "integers.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** 0 … 15. */
alignas(64) constexpr float kNibbles[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/** sink(start + i, factor · q[i]) for i < N. */
template <size_t N, typename Sink>
inline void scaleInt8(const uint8_t* q, float factor, size_t start, Sink sink) {
  const F factors = set1(factor);
  AIRLLM_UNROLL for (size_t i = 0; i < N; i += kLanes) sink(start + i, mul(loadInt8(q + i), factors));
}

/** sink(start + i, the value of byte i's low nibble, or high one) for i < N. */
template <bool High, size_t N, typename Sink>
inline void lookupRun(const Table16& values, const uint8_t* bytes, size_t start, Sink sink) {
  AIRLLM_UNROLL for (size_t i = 0; i < N; i += kLanes) sink(start + i, lookupHalves<High>(values, bytes + i));
}

/** d f16, 32 × int8: d · q. */
struct Q8Block {
  static constexpr size_t kElements = 32, kBytes = 34;
  template <typename Sink>
  static void decode(const uint8_t* from, Sink sink) {
    scaleInt8<32>(from + 2, halfAt(from), 0, sink);
  }
};

/** d f16, 16 bytes of a low nibble for value i and a high one for value 16 + i: d · (q − 8). */
struct Q4Block {
  static constexpr size_t kElements = 32, kBytes = 18;
  template <typename Sink>
  static void decode(const uint8_t* from, Sink sink) {
    const Table16 values = scaled(table16(kSignedNibbles), halfAt(from));
    lookupRun<false, 16>(values, from + 2, 0, sink);
    lookupRun<true, 16>(values, from + 2, 16, sink);
  }
};

/**
 * d, dmin f16, 12 bytes of eight 6-bit scales and minima, 128 bytes of nibbles: d · scale · q − dmin · min.
 * Of each 64 values, the first 32 are low nibbles and the others high ones.
 */
struct Q4KBlock {
  static constexpr size_t kElements = 256, kBytes = 144;
  template <typename Sink>
  static void decode(const uint8_t* from, Sink sink) {
    const float d = halfAt(from), dmin = halfAt(from + 2);
    const uint8_t* packed = from + 4;
    float factors[8], offsets[8];
    for (size_t run = 0; run < 4; run++) {
      const int low = packed[run], middle = packed[run + 4], high = packed[run + 8];
      factors[run] = d * static_cast<float>(low & 63);
      offsets[run] = dmin * static_cast<float>(middle & 63);
      factors[run + 4] = d * static_cast<float>((high & 15) | low >> 6 << 4);
      offsets[run + 4] = dmin * static_cast<float>(high >> 4 | middle >> 6 << 4);
    }
    const Table16 nibbles = table16(kNibbles);
    AIRLLM_UNROLL for (size_t run = 0; run < 8; run += 2) {
      const uint8_t* bytes = from + 16 + 16 * run;
      lookupRun<false, 32>(scaled(nibbles, factors[run], offsets[run]), bytes, 32 * run, sink);
      lookupRun<true, 32>(scaled(nibbles, factors[run + 1], offsets[run + 1]), bytes, 32 * run + 32, sink);
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
  template <typename Sink>
  static void decode(const uint8_t* from, Sink sink) {
    const float d = halfAt(from + 208);
    uint8_t q[256];  // by loops over bytes, which compilers turn into whole vectors
    for (size_t half = 0; half < 2; half++) {
      const uint8_t *low = from + 64 * half, *high = from + 128 + 32 * half;
      uint8_t* to = q + 128 * half;
      for (size_t i = 0; i < 32; i++) {
        to[i] = static_cast<uint8_t>(((low[i] & 15) | (high[i] & 3) << 4) - 32);
        to[32 + i] = static_cast<uint8_t>(((low[32 + i] & 15) | (high[i] >> 2 & 3) << 4) - 32);
        to[64 + i] = static_cast<uint8_t>((low[i] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
        to[96 + i] = static_cast<uint8_t>((low[32 + i] >> 4 | high[i] >> 6 << 4) - 32);
      }
    }
    AIRLLM_UNROLL for (size_t run = 0; run < 16; run++) {
      const float factor = d * static_cast<float>(static_cast<int8_t>(from[192 + run]));
      scaleInt8<16>(q + 16 * run, factor, 16 * run, sink);
    }
  }
};

/** A block of a row: see steps.h. */
template <typename Block>
struct BlockSteps {
  static constexpr size_t kColumns = Block::kElements;
  static bool fits(const Weight&) { return true; }

  const Weight& weight;

  struct Row {
    const uint8_t* from;
  };
  Row row(size_t row, size_t col) const {
    return {weight.data + (row * weight.cols + col) / kColumns * Block::kBytes};
  }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    AIRLLM_UNROLL for (size_t line = 0; line < Block::kBytes; line += 64) prefetch(row.from + ahead + line);
    Block::decode(row.from, sink);
    row.from += Block::kBytes;
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
