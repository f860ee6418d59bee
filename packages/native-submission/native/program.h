// A submission decoded from words: validated ops with raw pointers, and everything they point into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "memory.h"
#include "operands.h"

namespace airllm {

using Op = std::variant<EmbeddingOp, RmsNormOp, LayerNormOp, LinearOp, LinearTransposedOp, RopeOp,
                        AttentionOp, LatentAttentionOp, ShortConvOp, GatedDeltaOp, GluOp, ClampedGluOp,
                        ActivateOp, SigmoidGateOp, SoftcapOp, ScaleOp, ScaleRowsOp, AccumulateOp, FillOp,
                        UngroupOp, GatherRowsOp, ScatterAddRowsOp>;

/** An operand that does not fit its memory, or words that are not a submission. */
struct InvalidOperand : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** Bytes of weights, or of what stands beside them, that one op reads. */
struct WeightRead {
  /** Its number in Program::ops. */
  size_t op;
  const uint8_t* data;
  size_t byteLength;
  bool onHost;
};

/** The largest sizes that a backend's kernels take. */
struct Limits {
  /** Columns of a head of attention. */
  size_t headDim;
  /** rank + ropeDim of latentAttention. */
  size_t latentDim;
  /** Rows of a convolution. */
  size_t convWidth;
  /** Columns of keys of gatedDelta. */
  size_t keyDim;
};

/** Ops to run in order. Holding a program keeps all memory it touches alive. */
struct Program {
  std::vector<Op> ops;
  std::vector<SequenceRun> sequences;
  std::vector<RowPlace> places;
  std::vector<std::vector<int32_t>> blockLists;
  std::vector<std::vector<uint32_t>> indexLists;
  std::vector<std::vector<float>> floatLists;
  std::vector<std::shared_ptr<Memory>> memory;
  /** What the ops read of weights, op by op. */
  std::vector<WeightRead> reads;
};

/** Memory by the number JavaScript knows it under; null when there is none. */
using FindMemory = std::function<std::shared_ptr<Memory>(uint64_t id)>;

/**
 * Decodes and checks a submission; the layout of the words is described in src/encode-submission.ts. Nothing
 * in `words` is trusted: every operand is checked against the memory it names. Throws InvalidOperand.
 */
std::unique_ptr<Program> decodeProgram(const double* words, size_t count, const FindMemory& find,
                                       const Limits& limits);

/** A tensor of an arena: [offset, rows, cols, rowStride] checked against `arena`. Throws InvalidOperand. */
Matrix decodeTensor(const double* words, size_t count, const Memory& arena);

}  // namespace airllm
