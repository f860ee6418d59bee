// 4-bit codes of bitsandbytes (NF4, FP4) to float32: a value from a book of 16, times the factor of its
// block, which may be a code itself. Every product and sum is rounded to float32, as in the reference
// backend.
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Factor `index` of the slice. */
inline float codeFactor(const Packing& packing, size_t index) {
  if (packing.nestedCodes == nullptr) return factorAt(packing.factors, DType::kF32, index);
  const float code = factorAt(packing.nestedCodes, DType::kF32, packing.factors[index]);
  const float outer =
      factorAt(packing.nestedFactors, DType::kF32, (packing.nestedFirst + index) / packing.nestedBlock);
  return code * outer + packing.nestedOffset;
}

/** Rows [row, row + rows), columns [col, col + count), both even; rows of `out` are `stride` apart. */
inline void decodeCodes(const Weight& weight, size_t row, size_t rows, size_t col, size_t count, float* out,
                        size_t stride) {
  const Packing& packing = weight.packing;
  float codes[16];
  memcpy(codes, packing.codes, sizeof codes);
  float pairs[256][2];
  for (size_t byte = 0; byte < 256; byte++) {
    pairs[byte][0] = codes[byte >> 4];
    pairs[byte][1] = codes[byte & 15];
  }
  const size_t end = col + count;
  for (size_t r = row; r < row + rows; r++) {
    const uint8_t* from = weight.data + (r * weight.cols + col) / 2;
    const size_t factors = r * (weight.cols / packing.blockCols);
    float* __restrict to = out + (r - row) * stride;
    for (size_t i = 0; i < count / 2; i++) memcpy(to + 2 * i, pairs[from[i]], 2 * sizeof(float));
    for (size_t c = col; c < end;) {
      const size_t block = c / packing.blockCols;
      const size_t last = (block + 1) * packing.blockCols < end ? (block + 1) * packing.blockCols : end;
      const float factor = codeFactor(packing, factors + block);
      for (; c < last; c++) *to++ *= factor;
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
