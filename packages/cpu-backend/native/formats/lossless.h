// bf16z to float32, bit for bit: sign and mantissa from the weight's own byte; the exponent is base − code,
// or where the code is 7 the next of the row's escapes, 0 once there are none left.
#pragma once

#include "steps.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** The three bit planes of one group of 64 columns. */
struct LosslessGroup {
  uint64_t planes[3];

  explicit LosslessGroup(const uint8_t* from) { memcpy(planes, from, sizeof planes); }
  /** Columns with code 7. */
  uint64_t escapes() const { return planes[0] & planes[1] & planes[2]; }
};

#if defined(__GNUC__) || defined(__clang__)
inline size_t lowestBit(uint64_t bits) { return static_cast<size_t>(__builtin_ctzll(bits)); }
inline size_t bitCount(uint64_t bits) { return static_cast<size_t>(__builtin_popcountll(bits)); }
#else
inline size_t lowestBit(uint64_t bits) {
  size_t index = 0;
  while ((bits >> index & 1) == 0) index++;
  return index;
}
inline size_t bitCount(uint64_t bits) {
  size_t count = 0;
  for (; bits != 0; bits &= bits - 1) count++;
  return count;
}
#endif

/** Bit j of a byte in byte j, for every byte. */
struct SpreadBits {
  uint64_t of[256];
};

constexpr SpreadBits spreadBits() {
  SpreadBits spread{};
  for (unsigned byte = 0; byte < 256; byte++) {
    for (unsigned j = 0; j < 8; j++) spread.of[byte] |= static_cast<uint64_t>(byte >> j & 1) << 8 * j;
  }
  return spread;
}

constexpr SpreadBits kSpreadBits = spreadBits();

/** The exponents of one group's columns, escapes included; `next` is the number of the row's next escape. */
inline void losslessExponents(const uint8_t* codes, const uint8_t* escapes, size_t escapeBytes, size_t& next,
                              uint8_t (&exponents)[kLosslessGroup]) {
  const LosslessGroup group(codes);
  for (size_t i = 0; i < kLosslessGroup; i += 8) {
    const auto spread = [&](size_t plane) { return kSpreadBits.of[group.planes[plane] >> i & 255]; };
    const uint64_t eight = spread(0) + 2 * spread(1) + 4 * spread(2);
    memcpy(exponents + i, &eight, sizeof eight);
  }
  const uint8_t base = escapes[0];
  for (uint8_t& exponent : exponents) exponent = static_cast<uint8_t>(base - exponent);
  for (uint64_t left = group.escapes(); left != 0; left &= left - 1) {
    exponents[lowestBit(left)] = next < escapeBytes ? escapes[next] : 0;
    next++;
  }
}

/** A group of 64 columns: see steps.h. The rest of a row may be shorter. */
struct LosslessSteps {
  static constexpr size_t kColumns = kLosslessGroup;
  static bool fits(const Weight&) { return true; }

  const Weight& weight;

  struct Row {
    const uint8_t* own;
    const uint8_t* codes;
    const uint8_t* escapes;
    size_t next;

    /** Escapes of the columns before, and the base. */
    size_t passed() const { return next; }
  };

  /** From column `col` on, which so many escapes and the base come before. */
  Row row(size_t row, size_t col, size_t passed) const {
    const Packing& packing = weight.packing;
    const size_t groups = (weight.cols - 1) / kColumns + 1;
    return {weight.data + row * weight.cols + col,
            packing.codes + (row * groups + col / kColumns) * kLosslessGroupBytes,
            packing.factors + row * packing.escapeBytes, passed};
  }

  /** Escapes before column `col` are counted. */
  Row row(size_t row, size_t col) const {
    const Row first = this->row(row, 0, 1);
    size_t passed = first.next;
    for (size_t group = 0; group < col / kColumns; group++) {
      passed += bitCount(LosslessGroup(first.codes + group * kLosslessGroupBytes).escapes());
    }
    return this->row(row, col, passed);
  }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    askFor(row, ahead);
    uint8_t exponents[kColumns];
    losslessExponents(row.codes, row.escapes, weight.packing.escapeBytes, row.next, exponents);
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes) {
      sink(i, joinExponents(row.own + i, exponents + i));
    }
    row.own += kColumns;
    row.codes += kLosslessGroupBytes;
  }

 protected:
  /** What is read `ahead` bytes further, and the escapes of a row some rows further down. */
  void askFor(const Row& row, size_t ahead) const {
    constexpr size_t kRowsDown = 8;
    prefetch(row.own + ahead);
    prefetch(row.codes + ahead * kLosslessGroupBytes / kColumns);
    prefetch(row.escapes + row.next + kRowsDown * weight.packing.escapeBytes);
  }
};

/** Columns [col, col + count) of a row within one group; `col` is a multiple of kLosslessGroup. */
inline void decodeLossless(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  LosslessSteps::Row from = LosslessSteps{weight}.row(row, col);
  uint8_t exponents[kLosslessGroup];
  losslessExponents(from.codes, from.escapes, weight.packing.escapeBytes, from.next, exponents);
  for (size_t i = 0; i < count; i++) {
    const uint32_t own = from.own[i], exponent = exponents[i];
    out[i] = floatOfBits((own & 128) << 24 | exponent << 23 | (own & 127) << 16);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
