// Runs the ops of a program in order: decides how each is split among threads, and nothing else.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "gemm/fast_linear.h"
#include "kernels.h"
#include "program.h"
#include "thread_pool.h"

namespace airllm {

class Executor {
 public:
  /** `fast`, where given, takes linear of many rows. Throws std::bad_alloc, std::system_error (threads). */
  Executor(const Kernels& kernels, const FastLinear* fast, size_t threads);

  /** Runs to the end, or until an op ends after `stop` was set. */
  void execute(const Program& program, const std::atomic<bool>& stop);

 private:
  void run(const EmbeddingOp& op);
  void run(const RmsNormOp& op);
  void run(const LayerNormOp& op);
  void run(const LinearOp& op);
  void run(const LinearTransposedOp& op);
  void run(const RopeOp& op);
  void run(const AttentionOp& op);
  void run(const LatentAttentionOp& op);
  void run(const ShortConvOp& op);
  void run(const GatedDeltaOp& op);
  void run(const GluOp& op);
  void run(const ClampedGluOp& op);
  void run(const ActivateOp& op);
  void run(const SigmoidGateOp& op);
  void run(const SoftcapOp& op);
  void run(const ScaleOp& op);
  void run(const ScaleRowsOp& op);
  void run(const AccumulateOp& op);
  void run(const FillOp& op);
  void run(const UngroupOp& op);
  void run(const GatherRowsOp& op);
  void run(const ScatterAddRowsOp& op);

  /**
   * How many ops from `first` on are linears of the same single row whose outputs are apart: blocks of rows
   * of one weight, or q, k and v. At least 1.
   */
  size_t linearsTogether(const Program& program, size_t first) const;
  /** Shares them among threads as if they were one, so that threads meet once. */
  void runTogether(const Program& program, size_t first, size_t count);

  /** Packs x once for all of the linears that follow one another on it. */
  void runFast(const LinearOp& op);
  void packOnce(const Matrix& x);

  /**
   * body(begin, end, scratch) over `units`. `unitWork` is in multiply-adds, roughly; too little work stays on
   * the calling thread.
   */
  template <typename Body>
  void share(size_t units, size_t unitWork, Body body);
  /** Shares a kernel without scratch memory. */
  template <typename OpType>
  void split(void (*kernel)(const OpType&, size_t, size_t), const OpType& op, size_t units, size_t unitWork);

  struct alignas(64) Scratch {
    float floats[kScratchFloats];
  };

  /** Packed rows of x, which are the same for q, k and v, for gate and up. */
  struct alignas(64) PackedRows {
    uint16_t values[kPackedValues];
  };

  const Kernels& kernels_;
  const FastLinear* fast_;
  std::unique_ptr<PackedRows> packed_;
  std::unique_ptr<FastScratch[]> fastScratch_;
  /** What packed_ holds; no data when it is out of date. */
  Matrix packedFrom_{};
  std::unique_ptr<Scratch[]> scratch_;
  ThreadPool pool_;
};

}  // namespace airllm
