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

/** Columns [col, col + count) of a row, col and count even. */
inline void decodeCodes(const Weight& weight, size_t row, size_t col, size_t count, float* __restrict out) {
  const Packing& packing = weight.packing;
  float codes[16];
  memcpy(codes, packing.codes, sizeof codes);
  const uint8_t* from = weight.data + (row * weight.cols + col) / 2;
  const size_t factors = row * (weight.cols / packing.blockCols);
  const size_t end = col + count;
  for (size_t c = col; c < end;) {
    const size_t block = c / packing.blockCols;
    const size_t last = (block + 1) * packing.blockCols < end ? (block + 1) * packing.blockCols : end;
    const float factor = codeFactor(packing, factors + block);
    float values[16];
    for (size_t i = 0; i < 16; i++) values[i] = codes[i] * factor;
    for (; c < last; c += 2, from++, out += 2) {
      out[0] = values[*from >> 4];
      out[1] = values[*from & 15];
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
