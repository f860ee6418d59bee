// MXFP4 (OCP Microscaling Formats 1.0) to float32: two values of 4 bits in a byte, a power of two for
// each 32.
#pragma once

#include "steps.h"

namespace airllm::AIRLLM_ISA {
namespace {

alignas(64) constexpr float kMxValues[16] = {0,     0.5f,  1,  1.5f,  2,  3,  4,  6,
                                             -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

/** E8M0: 2^(s − 127), of which s = 0 is subnormal and s = 255 no number. */
inline float mxScale(uint8_t s) {
  return floatOfBits(s == 0 ? 0x00400000u : s == 255 ? 0x7fc00000u : static_cast<uint32_t>(s) << 23);
}

/** A block of 32: see steps.h. */
struct MxSteps {
  static constexpr size_t kColumns = 32;
  static bool fits(const Weight&) { return true; }

  const Weight& weight;
  Table16 magnitudes = table16(kMxValues);

  struct Row {
    const uint8_t* from;
    const uint8_t* scale;
  };
  Row row(size_t row, size_t col) const {
    const size_t block = (row * weight.cols + col) / kColumns;
    return {weight.data + block * (kColumns / 2), weight.packing.factors + block};
  }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    prefetch(row.from + ahead);
    const Table16 values = scaled(magnitudes, mxScale(*row.scale++));
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes) {
      sink(i, lookupNibbles<false>(values, row.from + i / 2));
    }
    row.from += kColumns / 2;
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
