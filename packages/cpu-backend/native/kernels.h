// The function table of one instruction set. Kernels are single-threaded over a range of units; who calls
// them with which range is execute.cc's business.
#pragma once

#include "operands.h"

namespace airllm {

/** float32 values of scratch memory every thread hands to `linear`, 64-byte aligned. */
constexpr size_t kScratchFloats = 96 * 1024;

struct Kernels {
  const char* name;
  /** Units are rows of `out`. */
  void (*embedding)(const EmbeddingOp& op, size_t begin, size_t end);
  /** Units are groups: row-major over rows and groups of a row. */
  void (*rmsNorm)(const RmsNormOp& op, size_t begin, size_t end);
  /** Units are rows of the weight, which are columns of `out`. */
  void (*linear)(const LinearOp& op, size_t begin, size_t end, float* scratch);
  /** Units are heads: row-major over rows and heads of a row. */
  void (*rope)(const RopeOp& op, size_t begin, size_t end);
  /** Units are key heads. Must be finished for all units before attend starts. */
  void (*appendKeysValues)(const AttentionOp& op, size_t begin, size_t end);
  /** Units are (key head, row): key head · rows + row. */
  void (*attend)(const AttentionOp& op, size_t begin, size_t end);
  /** Units of the element-wise ops are blocks of kColumnBlock columns, row-major. */
  void (*glu)(const GluOp& op, size_t begin, size_t end);
  void (*accumulate)(const AccumulateOp& op, size_t begin, size_t end);
  void (*fill)(const FillOp& op, size_t begin, size_t end);
  /** Units are rows of `out`. */
  void (*gatherRows)(const GatherRowsOp& op, size_t begin, size_t end);
  /** Units are blocks of kColumnBlock columns of `out`. */
  void (*scatterAddRows)(const ScatterAddRowsOp& op, size_t begin, size_t end);
  /** Reads every byte once; the result only keeps the reads alive. `bytes` is a multiple of 512. */
  float (*readAll)(const uint8_t* data, size_t bytes);
};

/** Null where the binary was built without the set (another architecture). Whether the machine has it is not
 * checked here. */
const Kernels* scalarKernels();
const Kernels* avx2Kernels();
const Kernels* avx512Kernels();
const Kernels* neonKernels();

}  // namespace airllm
