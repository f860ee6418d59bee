// Reads what stands beside packed weights: every list is as long as the weight's shape asks for, and lies
// inside the memory it names. Which words a format has is written in src/encode/packing-words.ts.

#include <cstring>

#include "reader.h"

namespace airllm {
namespace {

size_t quotientUp(size_t value, size_t divisor) { return (value - 1) / divisor + 1; }

}  // namespace

const uint8_t* Reader::span(size_t byteLength) {
  const std::shared_ptr<Memory> found = memory(integer());
  return reads(*found, integer(), byteLength, "Expected a packing inside its memory");
}

Packing Reader::packing(DType dtype, size_t rows, size_t cols) {
  if (dtype < DType::kMxFp4) return {};
  expect(rows > 0 && cols > 0, "Expected rows and columns of a packed weight");
  Packing found{};
  switch (dtype) {
    case DType::kMxFp4:
      found.factors = span(product(rows, cols / 32));
      break;
    case DType::kCode4:
    case DType::kCode8:
      readCodes(found, dtype, product(rows, cols));
      break;
    case DType::kInt8:
    case DType::kInt4:
      found.groupCols = positive();
      found.factors = span(product(product(rows, quotientUp(cols, found.groupCols)), sizeof(float)));
      break;
    case DType::kBf16z:
      found.escapeBytes = positive();
      found.codes = span(product(product(rows, quotientUp(cols, kLosslessGroup)), kLosslessGroupBytes));
      found.factors = span(product(rows, found.escapeBytes));
      break;
    default:
      readGroups(found, dtype, rows, cols);
  }
  return found;
}

void Reader::readCodes(Packing& found, DType dtype, size_t elements) {
  found.blockLength = positive();
  found.first = integer();
  expect(found.first < found.blockLength, "Expected a first element within its block of codes");
  const size_t factors = quotientUp(total(found.first, elements), found.blockLength);
  const bool nested = flag();
  found.codes = span((dtype == DType::kCode4 ? 16 : 256) * sizeof(float));
  found.factors = span(nested ? factors : product(factors, sizeof(float)));
  if (!nested) return;
  found.nestedBlock = positive();
  found.nestedFirst = integer();
  found.nestedOffset = finite();
  found.nestedCodes = span(256 * sizeof(float));
  found.nestedFactors =
      span(product(quotientUp(total(found.nestedFirst, factors), found.nestedBlock), sizeof(float)));
}

void Reader::readGroups(Packing& found, DType dtype, size_t rows, size_t cols) {
  expect(cols % 8 == 0 && (dtype == DType::kAwq || rows % 8 == 0), "Expected whole words of a packed weight");
  const size_t factorDType = integer();
  expect(factorDType <= 2, "Expected scales of a packed weight in f32, f16 or bf16");
  found.factorDType = static_cast<DType>(factorDType);
  found.groupRows = positive();
  size_t groups = quotientUp(rows, found.groupRows);
  if (flag()) {
    expect(dtype == DType::kGptq, "Expected rows in the order of their groups but in gptq4");
    groups = found.groups = positive();
    found.rowGroups = span(product(rows, sizeof(int32_t)));
    // What lies on a device cannot be looked at here: kernels there hold to the number of groups themselves.
    const size_t seen = program_.reads.back().onHost ? rows : 0;
    for (size_t row = 0; row < seen; row++) {
      int32_t group;
      memcpy(&group, found.rowGroups + row * sizeof group, sizeof group);
      expect(group >= 0 && static_cast<size_t>(group) < groups,
             "Expected the group of a row below their number");
    }
  }
  found.factors = span(product(product(groups, cols), found.factorDType == DType::kF32 ? 4 : 2));
  found.zeros = span(product(groups, cols / 2));
}

}  // namespace airllm
