// What the formats have in common whose rows are decoded by steps of kColumns columns. A format says how one
// step of a row becomes vectors of float32; panels of decoded rows and dot products that never leave the
// registers are both made of it, so they see the same values.
//
//   struct Format {
//     static constexpr size_t kColumns;              of a step
//     static bool fits(const Weight&);               whether a row is whole steps from column 0 on, or ends
//     within one explicit Format(const Weight&);                code books and the like struct Row; where the
//     next step of a row lies Row row(size_t row, size_t col) const;         from column `col` on, a multiple
//     of kColumns void step(Row&, size_t ahead, Sink sink) const;  sink(offset, F) for every kLanes columns
//     in order; bytes
//                                                    `ahead` of those that are read are prefetched
//   };
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Bytes ahead of a step that are asked for while a panel is decoded. */
constexpr size_t kDecodePrefetch = 512;

inline bool isPowerOfTwo(size_t value) { return value != 0 && (value & (value - 1)) == 0; }

inline unsigned logarithm(size_t powerOfTwo) {
  unsigned shift = 0;
  while (powerOfTwo >> shift > 1) shift++;
  return shift;
}

/** Bytes of `columns` values, whole ones or nearly. */
inline size_t bytesOfColumns(DType dtype, size_t columns) {
  if (dtype == DType::kCode4) return columns / 2;
  return columns / blockSize(dtype).elements * blockSize(dtype).bytes;
}

/** Row of steps from column `col` on, told what was passed before it if that is known. */
template <typename Format>
inline typename Format::Row rowFrom(const Format& format, size_t row, size_t col, const size_t* passed) {
  if constexpr (requires { format.row(row, col, size_t{}); }) {
    if (passed != nullptr && col > 0) return format.row(row, col, *passed);
  }
  return format.row(row, col);
}

/**
 * Whole steps from column `col` on, at most `count` columns; returns how many were decoded. `passed` holds
 * what the format says of the columns before `col` and then of those before the end; null: it is not known.
 */
template <typename Format>
inline size_t decodeSteps(const Format& format, size_t row, size_t col, size_t count, float* out,
                          size_t* passed) {
  constexpr size_t kColumns = Format::kColumns;
  typename Format::Row from = rowFrom(format, row, col, passed);
  size_t c = 0;
  for (; c + kColumns <= count; c += kColumns, out += kColumns) {
    format.step(from, kDecodePrefetch, [&](size_t offset, F value) { store(out + offset, value); });
  }
  if constexpr (requires { from.passed(); }) {
    if (passed != nullptr) *passed = from.passed();
  }
  return c;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
