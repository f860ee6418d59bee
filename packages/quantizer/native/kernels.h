// The loops over bytes of each format, compiled once for each instruction set; all sets give the same bits.
// Nothing here allocates, and sizes have been checked by the caller.
#pragma once

#include <cstddef>
#include <cstdint>

#include "code_table.h"

namespace airllm {

enum class SourceDType { kF32, kF16, kBF16 };

/** Bytes of an element. */
constexpr size_t sizeOf(SourceDType dtype) { return dtype == SourceDType::kF32 ? 4 : 2; }

/** Error sums over elements x and what their codes stand for, y; see error-figures.ts. */
struct ErrorSums {
  double source = 0;
  double error = 0;
  double cross = 0;
  double largest = 0;
  /** Index of the first NaN or Inf, or -1. */
  int64_t firstNonFinite = -1;
};

enum class IntegerFormat { kInt8, kInt4 };
constexpr size_t kGroupCols = 128;

constexpr size_t kLosslessGroupCols = 64;
constexpr size_t kLosslessGroupBytes = 24;
/** Bytes of a row's three-bit codes. */
constexpr size_t losslessCodeBytes(size_t cols) {
  return (cols + kLosslessGroupCols - 1) / kLosslessGroupCols * kLosslessGroupBytes;
}

/** source [elements] → codes [elements], or [⌈elements / 2⌉] for 16-entry tables, and absmax [⌈elements /
 * block⌉]. */
struct EncodeCodes {
  const CodeTable* table;
  size_t blockLength;
  SourceDType dtype;
  const uint8_t* source;
  uint8_t* codes;
  float* absmax;
  size_t elements;
};

/** codes → to [elements]; `offset` is added after the product where there is one. */
struct DecodeCodes {
  const uint8_t* codes;
  /** 16 or 256. */
  const float* map;
  size_t mapLength;
  const float* absmax;
  size_t blockLength;
  const float* offset;
  float* to;
  size_t elements;
};

/** source [rows, cols] → codes [rows, cols or cols / 2] and scales [rows, ⌈cols / 128⌉]. */
struct EncodeIntegers {
  IntegerFormat format;
  SourceDType dtype;
  const uint8_t* source;
  uint8_t* codes;
  float* scales;
  size_t cols;
};

struct DecodeIntegers {
  IntegerFormat format;
  const uint8_t* codes;
  const float* scales;
  float* to;
  size_t cols;
};

/** bf16 [rows, cols] on one side; bytes [rows, cols], codes [rows, 24 ⌈cols / 64⌉], escapes [rows,
 * escapeBytes] on the other. */
struct LosslessRows {
  uint8_t* bf16;
  uint8_t* bytes;
  uint8_t* codes;
  uint8_t* escapes;
  size_t escapeBytes;
  size_t cols;
};

struct Kernels {
  const char* name;
  /** Blocks [begin, end). */
  ErrorSums (*encodeCodes)(const EncodeCodes&, size_t begin, size_t end);
  /** Elements [begin, end); begin is even. */
  void (*decodeCodes)(const DecodeCodes&, size_t begin, size_t end);
  /** Rows [begin, end). */
  ErrorSums (*encodeIntegers)(const EncodeIntegers&, size_t begin, size_t end);
  void (*decodeIntegers)(const DecodeIntegers&, size_t begin, size_t end);
  /** Rows [begin, end); false when a row has more escapes than there is room for. */
  bool (*encodeLossless)(const LosslessRows&, const uint8_t* bases, size_t begin, size_t end);
  bool (*decodeLossless)(const LosslessRows&, size_t begin, size_t end);
};

const Kernels* scalarKernels();
/** Null where the compiler or the target lacks the set. */
const Kernels* avx2Kernels();
const Kernels* avx512Kernels();
const Kernels* neonKernels();

}  // namespace airllm
