// Codes of bitsandbytes (code4: NF4, FP4; code8: its dynamic map) to float32: a value from a book of 16 or
// 256, times the factor of its block, which may be a code itself. Every product and sum is rounded to
// float32, as in the reference backend. Elements are counted row after row: rows may begin within a byte,
// blocks end within rows.
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

/** run(element, count, factor) for the parts of `count` elements from `element` on that share a factor. */
template <typename Run>
inline void forBlocks(const Packing& packing, size_t element, size_t count, Run run) {
  for (size_t at = packing.first + element, end = at + count; at < end;) {
    const size_t block = at / packing.blockLength, next = (block + 1) * packing.blockLength;
    const size_t last = next < end ? next : end;
    run(at - packing.first, last - at, codeFactor(packing, block));
    at = last;
  }
}

/** Columns [col, col + count) of a row. */
inline void decodeCode4(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  float codes[16];
  memcpy(codes, weight.packing.codes, sizeof codes);
  forBlocks(weight.packing, row * weight.cols + col, count, [&](size_t element, size_t n, float factor) {
    for (size_t i = element; i < element + n; i++) {
      const uint8_t pair = weight.data[i / 2];
      *out++ = codes[i % 2 == 0 ? pair >> 4 : pair & 15] * factor;
    }
  });
}

inline void decodeCode8(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  forBlocks(weight.packing, row * weight.cols + col, count, [&](size_t element, size_t n, float factor) {
    for (size_t i = element; i < element + n; i++) {
      *out++ = factorAt(weight.packing.codes, DType::kF32, weight.data[i]) * factor;
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
