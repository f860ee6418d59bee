// Symmetric integers of 8 and 4 bits to float32: q · scale, rounded once, with a scale for each group of a
// row's columns.
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** run(column, count, scale) for the parts of `count` columns from `col` on that share a scale. */
template <typename Run>
inline void forScales(const Weight& weight, size_t row, size_t col, size_t count, Run run) {
  const size_t groupCols = weight.packing.groupCols;
  const size_t groups = (weight.cols - 1) / groupCols + 1;
  for (const size_t end = col + count; col < end;) {
    const size_t group = col / groupCols;
    const size_t last = end - col < groupCols - col % groupCols ? end : (group + 1) * groupCols;
    run(col, last - col, factorAt(weight.packing.factors, DType::kF32, row * groups + group));
    col = last;
  }
}

/** Columns [col, col + count) of a row. */
inline void decodeInt8(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  forScales(weight, row, col, count, [&](size_t c, size_t n, float scale) {
    const uint8_t* from = weight.data + row * weight.cols + c;
    for (size_t i = 0; i < n; i++) *out++ = static_cast<float>(static_cast<int8_t>(from[i])) * scale;
  });
}

inline void decodeInt4(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  forScales(weight, row, col, count, [&](size_t c, size_t n, float scale) {
    const size_t start = row * weight.cols + c;
    for (size_t i = start; i < start + n; i++) {
      const int nibble = weight.data[i / 2] >> (i % 2 == 0 ? 0 : 4) & 15;
      *out++ = static_cast<float>(nibble - 8) * scale;
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
