// From a packed format to the function that decodes it.
#pragma once

#include "codes.h"
#include "gguf_blocks.h"
#include "groups.h"
#include "integers.h"
#include "lossless.h"
#include "mxfp4.h"

namespace airllm::AIRLLM_ISA {
namespace {

inline void decodeRow(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  switch (weight.dtype) {
    case DType::kQ8:
      return decodeBlocks<Q8Block>(weight, row, col, count, out);
    case DType::kQ4:
      return decodeBlocks<Q4Block>(weight, row, col, count, out);
    case DType::kQ4K:
      return decodeBlocks<Q4KBlock>(weight, row, col, count, out);
    case DType::kQ6K:
      return decodeBlocks<Q6KBlock>(weight, row, col, count, out);
    case DType::kCode4:
      return decodeCode4(weight, row, col, count, out);
    case DType::kCode8:
      return decodeCode8(weight, row, col, count, out);
    case DType::kInt8:
      return decodeInt8(weight, row, col, count, out);
    case DType::kInt4:
      return decodeInt4(weight, row, col, count, out);
    case DType::kBf16z:
      return decodeLossless(weight, row, col, count, out);
    default:
      return decodeMx(weight, row, col, count, out);
  }
}

/** Columns of a decoded run begin and end at multiples of this, or at the end of the row. */
constexpr size_t decodedBlock(DType dtype) {
  return dtype == DType::kBf16z ? kLosslessGroup : blockSize(dtype).elements;
}

/**
 * Rows [row, row + rows), columns [col, col + count) of a packed weight as float32, rows of `out` `stride`
 * apart.
 */
AIRLLM_NOINLINE void decodeRows(const Weight& weight, size_t row, size_t rows, size_t col, size_t count,
                                float* out, size_t stride) {
  if (weight.dtype == DType::kGptq) return decodeGroups<false>(weight, row, rows, col, count, out, stride);
  if (weight.dtype == DType::kAwq) return decodeGroups<true>(weight, row, rows, col, count, out, stride);
  for (size_t r = 0; r < rows; r++) decodeRow(weight, row + r, col, count, out + r * stride);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
