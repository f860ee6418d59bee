// Codes of bitsandbytes (code4: NF4, FP4; code8: its dynamic map) to float32: a value from a book of 16 or
// 256, times the factor of its block, which may be a code itself. Every product and sum is rounded to
// float32, as in the reference backend. Elements are counted row after row: rows may begin within a byte,
// blocks end within rows.
#pragma once

#include "steps.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Factors of a slice, one block after the other. */
class CodeFactors {
 public:
  CodeFactors(const Packing& packing, size_t block) : packing_(packing), block_(block) {
    if (packing.nestedCodes == nullptr) return;
    const size_t number = packing.nestedFirst + block;
    outer_ = number / packing.nestedBlock;
    left_ = (outer_ + 1) * packing.nestedBlock - number;
    factor_ = factorAt(packing.nestedFactors, DType::kF32, outer_);
  }

  float next() {
    if (packing_.nestedCodes == nullptr) return factorAt(packing_.factors, DType::kF32, block_++);
    if (left_ == 0) {
      left_ = packing_.nestedBlock;
      factor_ = factorAt(packing_.nestedFactors, DType::kF32, ++outer_);
    }
    left_--;
    const float code = factorAt(packing_.nestedCodes, DType::kF32, packing_.factors[block_++]);
    return code * factor_ + packing_.nestedOffset;
  }

 private:
  const Packing& packing_;
  size_t block_;
  size_t outer_ = 0;
  size_t left_ = 0;
  float factor_ = 0;
};

/** run(element, count, factor) for the parts of `count` elements from `element` on that share a factor. */
template <typename Run>
inline void forBlocks(const Packing& packing, size_t element, size_t count, Run run) {
  const size_t start = packing.first + element;
  CodeFactors factors(packing, start / packing.blockLength);
  size_t left = packing.blockLength - start % packing.blockLength;
  for (const size_t end = element + count; element < end; left = packing.blockLength) {
    const size_t n = end - element < left ? end - element : left;
    run(element, n, factors.next());
    element += n;
  }
}

/** Columns [col, col + count) of a row, one by one. */
inline void decodeCode4(const Weight& weight, size_t row, size_t col, size_t count, float* out) {
  const uint8_t* from = weight.data;
  forBlocks(weight.packing, row * weight.cols + col, count, [&](size_t element, size_t n, float factor) {
    for (size_t i = element; i < element + n; i++) {
      const size_t code = from[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
      *out++ = factorAt(weight.packing.codes, DType::kF32, code) * factor;
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

/** Steps of 64 columns that lie within one block each. */
class CodeSteps {
 public:
  static constexpr size_t kColumns = 64;
  static bool fits(const Weight& weight) {
    const Packing& packing = weight.packing;
    const bool nested = packing.nestedCodes != nullptr;
    return weight.cols % kColumns == 0 && packing.first % kColumns == 0 && packing.blockLength >= kColumns &&
           isPowerOfTwo(packing.blockLength) && (!nested || isPowerOfTwo(packing.nestedBlock));
  }

  /** The next step's first element, counted from the start of the first block. */
  struct Row {
    size_t position;
  };
  Row row(size_t row, size_t col) const { return {weight_.packing.first + row * weight_.cols + col}; }

 protected:
  explicit CodeSteps(const Weight& weight)
      : weight_(weight),
        shift_(logarithm(weight.packing.blockLength)),
        nestedShift_(logarithm(weight.packing.nestedBlock)) {}

  /** The step's codes, of which a byte holds `perByte`; its codes and factor `ahead` bytes further are asked
   * for. */
  const uint8_t* codesAt(Row row, size_t perByte, size_t ahead) const {
    const uint8_t* codes = weight_.data + (row.position - weight_.packing.first) / perByte;
    const size_t factorBytes = weight_.packing.nestedCodes == nullptr ? sizeof(float) : 1;
    prefetch(codes + ahead);
    prefetch(weight_.packing.factors + ((row.position + ahead * perByte) >> shift_) * factorBytes);
    return codes;
  }

  float factor(Row row) const {
    const Packing& packing = weight_.packing;
    const size_t block = row.position >> shift_;
    if (packing.nestedCodes == nullptr) return factorAt(packing.factors, DType::kF32, block);
    const float code = factorAt(packing.nestedCodes, DType::kF32, packing.factors[block]);
    const float outer =
        factorAt(packing.nestedFactors, DType::kF32, (packing.nestedFirst + block) >> nestedShift_);
    return code * outer + packing.nestedOffset;
  }

 private:
  const Weight& weight_;
  unsigned shift_;
  unsigned nestedShift_;
};

struct Code4Steps : CodeSteps {
  Table16 book;

  explicit Code4Steps(const Weight& weight) : CodeSteps(weight), book(table16(weight.packing.codes)) {}

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    const uint8_t* from = codesAt(row, 2, ahead);
    const Table16 values = scaled(book, factor(row));
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes) {
      sink(i, lookupNibbles<true>(values, from + i / 2));
    }
    row.position += kColumns;
  }
};

/** Any book of 256, read from memory. */
struct Code8Steps : CodeSteps {
  alignas(64) float book[256];

  explicit Code8Steps(const Weight& weight) : CodeSteps(weight) {
    memcpy(book, weight.packing.codes, sizeof book);
  }

  template <typename Sink>
  void step(Row& row, size_t ahead, Sink sink) const {
    const uint8_t* from = codesAt(row, 1, ahead);
    const F factors = set1(factor(row));
    AIRLLM_UNROLL for (size_t i = 0; i < kColumns; i += kLanes)
        sink(i, mul(lookupBytes(book, from + i), factors));
    row.position += kColumns;
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
