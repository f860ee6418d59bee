// Symmetric integers of 8 and 4 bits to float32: q · scale, rounded once, with a scale for each group of a
// row's columns.
#pragma once

#include "steps.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** run(column, count, scale) for the parts of `count` columns from `col` on that share a scale. */
template <typename Run>
inline void forScales(const Weight& weight, size_t row, size_t col, size_t count, Run run) {
  const size_t groupCols = weight.packing.groupCols;
  const size_t groups = (weight.cols - 1) / groupCols + 1;
  size_t group = row * groups + col / groupCols;
  size_t left = groupCols - col % groupCols;
  for (const size_t end = col + count; col < end; left = groupCols) {
    const size_t n = end - col < left ? end - col : left;
    run(col, n, factorAt(weight.packing.factors, DType::kF32, group++));
    col += n;
  }
}

/** Columns [col, col + count) of a row, one by one. */
inline void decodeInt8(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  const uint8_t* from = weight.data + row * weight.cols;
  forScales(weight, row, col, count, [&](size_t c, size_t n, float scale) {
    for (size_t i = c; i < c + n; i++) *out++ = static_cast<float>(static_cast<int8_t>(from[i])) * scale;
  });
}

inline void decodeInt4(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  const uint8_t* from = weight.data + row * weight.cols / 2;
  forScales(weight, row, col, count, [&](size_t c, size_t n, float scale) {
    for (size_t i = c; i < c + n; i++) {
      const int nibble = from[i / 2] >> (i % 2 == 0 ? 0 : 4) & 15;
      *out++ = static_cast<float>(nibble - 8) * scale;
    }
  });
}

/** Steps of 64 columns that lie within one group each; the rest of a row may be shorter. */
class IntSteps {
 public:
  static constexpr size_t kColumns = 64;
  static bool fits(const Weight& weight) {
    return weight.packing.groupCols >= kColumns && isPowerOfTwo(weight.packing.groupCols);
  }

  struct Row {
    const uint8_t* from;
    const uint8_t* scales;
    size_t col;
  };

 protected:
  explicit IntSteps(const Weight& weight)
      : weight_(weight),
        shift_(logarithm(weight.packing.groupCols)),
        groups_((weight.cols - 1) / weight.packing.groupCols + 1) {}

  Row rowOf(size_t row, size_t col, size_t perByte) const {
    const uint8_t* scales = weight_.packing.factors + row * groups_ * sizeof(float);
    return {weight_.data + (row * weight_.cols + col) / perByte, scales, col};
  }
  float scale(const Row& row) const { return factorAt(row.scales, DType::kF32, row.col >> shift_); }

 private:
  const Weight& weight_;
  unsigned shift_;
  size_t groups_;
};

struct Int8Steps : IntSteps {
  explicit Int8Steps(const Weight& weight) : IntSteps(weight) {}
  Row row(size_t row, size_t col) const { return rowOf(row, col, 1); }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    prefetch(row.from + ahead);
    const F scales = set1(scale(row));
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes) sink(i, mul(loadInt8(row.from + i), scales));
    row.from += kColumns;
    row.col += kColumns;
  }
};

/** The values of nibbles 0 … 15. */
alignas(64) constexpr float kSignedNibbles[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

struct Int4Steps : IntSteps {
  Table16 integers = table16(kSignedNibbles);

  explicit Int4Steps(const Weight& weight) : IntSteps(weight) {}
  Row row(size_t row, size_t col) const { return rowOf(row, col, 2); }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    prefetch(row.from + ahead);
    const Table16 values = scaled(integers, scale(row));
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes) {
      sink(i, lookupNibbles<false>(values, row.from + i / 2));
    }
    row.from += kColumns / 2;
    row.col += kColumns;
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
