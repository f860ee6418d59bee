// The first pass of `lossless`: each row's base exponent and the escapes it leaves.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airllm {

struct Survey {
  /** Most escapes of a row. */
  size_t capacity = 0;
  /** Index of the first NaN or Inf, or -1. */
  int64_t firstNonFinite = -1;
};

/** bf16 [rows, cols] → bases [rows], for rows [begin, end): the window of seven exponents with the most
 * columns, the highest of equals. */
Survey surveyLossless(const uint8_t* bf16, size_t cols, uint8_t* bases, size_t begin, size_t end);

}  // namespace airllm
