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

#include "operands.h"
#include "pages.h"

namespace airllm {

using Op = std::variant<EmbeddingOp, RmsNormOp, LayerNormOp, LinearOp, LinearTransposedOp, RopeOp,
                        AttentionOp, LatentAttentionOp, ShortConvOp, GatedDeltaOp, GluOp, ClampedGluOp,
                        ActivateOp, SigmoidGateOp, SoftcapOp, ScaleOp, ScaleRowsOp, AccumulateOp, FillOp,
                        UngroupOp, GatherRowsOp, ScatterAddRowsOp>;

/** An operand that does not fit its memory, or words that are not a submission. */
struct InvalidOperand : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** Ops to run in order. Holding a program keeps every page it touches mapped. */
struct Program {
  std::vector<Op> ops;
  std::vector<SequenceRun> sequences;
  std::vector<RowPlace> places;
  std::vector<std::vector<int32_t>> blockLists;
  std::vector<std::vector<uint32_t>> indexLists;
  std::vector<std::vector<float>> floatLists;
  std::vector<std::shared_ptr<Pages>> pages;
};

/** Memory by the number JavaScript knows it under; null when there is none. */
using FindPages = std::function<std::shared_ptr<Pages>(uint64_t id)>;

/**
 * Decodes and checks a submission; the layout of the words is described in src/encode-submission.ts. Nothing
 * in `words` is trusted: every operand is checked against the memory it names. Throws InvalidOperand.
 */
std::unique_ptr<Program> decodeProgram(const double* words, size_t count, const FindPages& find);

/** A tensor of an arena: [offset, rows, cols, rowStride] checked against `pages`. Throws InvalidOperand. */
Matrix decodeTensor(const double* words, size_t count, const Pages& pages);

}  // namespace airllm
