// Reads operands from the words of a submission. Nothing read is trusted: tensors and weights are checked
// against the memory they name, before anything is reserved for them.
#pragma once

#include "cache_layers.h"
#include "checks.h"

namespace airllm {

class Reader {
 public:
  Reader(const double* words, size_t count, const FindMemory& find, Program& program, const Limits& limits)
      : word_(words), end_(words + count), find_(find), program_(program), limits_(limits) {}

  /** Arena, cache and batch. */
  void readHeader();
  /** For tensors without a submission. */
  void useArena(const Memory& arena) { arena_ = &arena; }
  bool atEnd() const { return word_ == end_; }

  double word();
  size_t integer();
  size_t positive();
  /** A positive integer, or infinity for no limit. */
  size_t limit();
  /** 0 or 1. */
  bool flag();
  float finite();

  Matrix tensor();
  /** A tensor of this shape. */
  Matrix tensor(size_t rows, size_t cols);
  Weight weight();
  /** A weight that may be in a packed dtype. */
  Weight packableWeight();
  /** A weight [1, length]. */
  Weight vector(size_t length);
  /** A flag, and a weight where it is 1. */
  Weight optionalWeight();
  Weight optionalVector(size_t length);
  /** `count` row numbers below `limit`. */
  const uint32_t* indices(size_t count, size_t limit);
  const float* floats(size_t count);

  std::shared_ptr<Memory> memory(size_t id);
  const CacheLayers& cache() const { return cache_; }
  /** One per row; throws unless `rows` is the batch and its blocks hold every token, below `blocks`. */
  const RowPlace* places(size_t rows, size_t blocks) const;
  /** Throws unless `rows` is the batch and every sequence has a slot of its own below `slots`. */
  void expectSlots(size_t rows, size_t slots) const;
  const Program& program() const { return program_; }
  const Limits& limits() const { return limits_; }

 private:
  void readBatch();
  Scales scales(size_t rows, size_t cols, bool bf16);
  Packing packing(DType dtype, size_t rows, size_t cols);
  void readCodes(Packing& found, DType dtype, size_t elements);
  void readGroups(Packing& found, DType dtype, size_t rows, size_t cols);
  /** Memory and offset of bytes beside a packed weight. */
  const uint8_t* span(size_t byteLength);
  /** Notes that the op being decoded reads these bytes, which must lie inside their memory. */
  const uint8_t* reads(const Memory& memory, size_t byteOffset, size_t byteLength, const char* message);

  const double* word_;
  const double* end_;
  const FindMemory& find_;
  Program& program_;
  Limits limits_;
  const Memory* arena_ = nullptr;
  CacheLayers cache_;
  size_t batchRows_ = 0;
  size_t highestBlock_ = 0;
  bool blocksSuffice_ = true;
};

}  // namespace airllm
