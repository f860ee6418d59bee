// From a packed format to the code that decodes it.
#pragma once

#include "codes.h"
#include "gguf_blocks.h"
#include "groups.h"
#include "integers.h"
#include "lossless.h"
#include "mxfp4.h"

#if defined(AIRLLM_VBMI)
#include "codes_vbmi.h"
#include "lossless_vbmi.h"
#endif

namespace airllm::AIRLLM_ISA {
namespace {

template <typename Format, typename Body>
inline bool ifFits(const Weight& weight, Body body) {
  if (!Format::fits(weight)) return false;
  body(Format{weight});
  return true;
}

/** body(format) with the format whose steps a row of `weight` is made of; false where there is none. */
template <typename Body>
inline bool withSteps(const Weight& weight, Body body) {
  switch (weight.dtype) {
    case DType::kQ8:
      return ifFits<BlockSteps<Q8Block>>(weight, body);
    case DType::kQ4:
      return ifFits<BlockSteps<Q4Block>>(weight, body);
    case DType::kQ4K:
      return ifFits<BlockSteps<Q4KBlock>>(weight, body);
    case DType::kQ6K:
      return ifFits<BlockSteps<Q6KBlock>>(weight, body);
    case DType::kMxFp4:
      return ifFits<MxSteps>(weight, body);
    case DType::kCode4:
      return ifFits<Code4Steps>(weight, body);
    case DType::kCode8:
#if defined(AIRLLM_VBMI)
      if (ifFits<MirroredCode8Steps>(weight, body)) return true;
#endif
      return ifFits<Code8Steps>(weight, body);
    case DType::kInt8:
      return ifFits<Int8Steps>(weight, body);
    case DType::kInt4:
      return ifFits<Int4Steps>(weight, body);
    case DType::kBf16z:
#if defined(AIRLLM_VBMI)
      return ifFits<ExpandedLosslessSteps>(weight, body);
#else
      return ifFits<LosslessSteps>(weight, body);
#endif
    default:
      return false;
  }
}

/** Columns [col, col + count) of a row that are no whole steps. */
inline void decodeOneByOne(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  switch (weight.dtype) {
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
      return;
  }
}

/** Columns of a decoded run begin at multiples of this, and end at one or with the row. */
constexpr size_t decodedBlock(DType dtype) {
  return blockSize(dtype).elements > kLosslessGroup ? blockSize(dtype).elements : kLosslessGroup;
}

/**
 * Rows [row, row + rows), columns [col, col + count) of a packed weight as float32, rows of `out` `stride`
 * apart.
 */
AIRLLM_NOINLINE void decodeRows(const Weight& weight, size_t row, size_t rows, size_t col, size_t count,
                                float* out, size_t stride, size_t* passed = nullptr) {
  if (weight.dtype == DType::kGptq) return decodeGroups<false>(weight, row, rows, col, count, out, stride);
  if (weight.dtype == DType::kAwq) return decodeGroups<true>(weight, row, rows, col, count, out, stride);
  const bool bySteps = withSteps(weight, [&](const auto& format) {
    for (size_t r = 0; r < rows; r++) {
      const size_t done = decodeSteps(format, row + r, col, count, out + r * stride,
                                      passed == nullptr ? nullptr : passed + r);
      if (done < count) decodeOneByOne(weight, row + r, col + done, count - done, out + r * stride + done);
    }
  });
  if (bySteps) return;
  for (size_t r = 0; r < rows; r++) decodeOneByOne(weight, row + r, col, count, out + r * stride);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
