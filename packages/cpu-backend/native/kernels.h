// The function table of one instruction set. Kernels are single-threaded over a range of units; who calls
// them with which range is executor.cc's business.
#pragma once

#include "operands.h"

namespace airllm {

/** float32 values of scratch memory every thread hands to the kernels that take some, 64-byte aligned. */
constexpr size_t kScratchFloats = 96 * 1024;
/** Columns of a unit of linearTransposed. */
constexpr size_t kTransposedColumns = 64;
/** Channels of a unit of shortConv. */
constexpr size_t kConvColumns = 64;

/** Rows of shortConv's weight that fit the scratch memory, [width, 16 lanes]. */
constexpr size_t kMostConvWidth = kScratchFloats / 16;
/** Columns of gatedDelta's keys that do, [key, query]. */
constexpr size_t kMostKeyDim = kScratchFloats / 2;
/** rank + ropeDim of latentAttention that do, [query, sums] of one row and head. */
constexpr size_t kMostLatentDim = kScratchFloats / 2;

struct Kernels {
  const char* name;
  /** Units are rows of `out`. */
  void (*embedding)(const EmbeddingOp& op, size_t begin, size_t end);
  /** Units are groups: row-major over rows and groups of a row. */
  void (*rmsNorm)(const RmsNormOp& op, size_t begin, size_t end);
  void (*layerNorm)(const LayerNormOp& op, size_t begin, size_t end);
  /** Units are rows of the weight, which are columns of `out`. */
  void (*linear)(const LinearOp& op, size_t begin, size_t end, float* scratch);
  /** Units are blocks of kTransposedColumns columns of the weight and of `out`. */
  void (*linearTransposed)(const LinearTransposedOp& op, size_t begin, size_t end, float* scratch);
  /** Units are heads: row-major over rows and heads of a row. */
  void (*rope)(const RopeOp& op, size_t begin, size_t end);
  /** Units are key heads. Must be finished for all units before attend starts. */
  void (*appendKeysValues)(const AttentionOp& op, size_t begin, size_t end);
  /** Units are (key head, row): key head · rows + row. */
  void (*attend)(const AttentionOp& op, size_t begin, size_t end);
  /** Units are rows. Must be finished for all units before attendLatent starts. */
  void (*appendLatents)(const LatentAttentionOp& op, size_t begin, size_t end);
  /** Units are (group of headsTogether ≤ 16 heads, row): group · rows + row. */
  void (*attendLatent)(const LatentAttentionOp& op, size_t headsTogether, size_t begin, size_t end,
                       float* scratch);
  /** Units are blocks of kConvColumns channels, for all sequences. */
  void (*shortConv)(const ShortConvOp& op, size_t begin, size_t end, float* scratch);
  /** Units are (sequence, value head): sequence · valueHeads + head. */
  void (*gatedDelta)(const GatedDeltaOp& op, size_t begin, size_t end, float* scratch);
  /** Units of the element-wise ops are blocks of kColumnBlock columns of `out` or `x`, row-major. */
  void (*glu)(const GluOp& op, size_t begin, size_t end);
  void (*clampedGlu)(const ClampedGluOp& op, size_t begin, size_t end);
  void (*activate)(const ActivateOp& op, size_t begin, size_t end);
  void (*sigmoidGate)(const SigmoidGateOp& op, size_t begin, size_t end);
  void (*softcap)(const SoftcapOp& op, size_t begin, size_t end);
  void (*scale)(const ScaleOp& op, size_t begin, size_t end);
  void (*scaleRows)(const ScaleRowsOp& op, size_t begin, size_t end);
  void (*accumulate)(const AccumulateOp& op, size_t begin, size_t end);
  void (*fill)(const FillOp& op, size_t begin, size_t end);
  /** Units are rows of `out`. */
  void (*ungroup)(const UngroupOp& op, size_t begin, size_t end);
  void (*gatherRows)(const GatherRowsOp& op, size_t begin, size_t end);
  /** Units are blocks of kColumnBlock columns of `out`. */
  void (*scatterAddRows)(const ScatterAddRowsOp& op, size_t begin, size_t end);
  /** Reads every byte once; the result only keeps the reads alive. `bytes` is a multiple of 512. */
  float (*readAll)(const uint8_t* data, size_t bytes);
  /** Multiply-adds in registers; returns how many. `keep` holds two values that the compiler does not know.
   */
  size_t (*multiplyAdds)(size_t repeats, float* keep);
};

/** Null where the binary was built without the set (another architecture). Whether the machine has it is not
 * checked here. */
const Kernels* scalarKernels();
const Kernels* avx2Kernels();
const Kernels* avx512Kernels();
const Kernels* avx512vbmiKernels();
const Kernels* amxKernels();
const Kernels* neonKernels();

}  // namespace airllm
