// From ops to launches: which kernel, over which grid. Operands are on the device.
#pragma once

#include "../driver/driver.h"
#include "program.h"

namespace airllm {

/** The largest sizes that the kernels take: registers of attention, shared memory of gated_delta. */
constexpr Limits kLimits{576, 576, 4096, 320};

class Launcher {
 public:
  /** `workspace` is memory of the device that ops use one after the other. */
  Launcher(Driver& driver, Stream stream, float* workspace, size_t workspaceFloats, bool fast)
      : driver_(driver),
        stream_(stream),
        workspace_(workspace),
        workspaceFloats_(workspaceFloats),
        fast_(fast) {}

  /** Throws DriverError OUT_OF_DEVICE_MEMORY for an op that needs a larger workspace. */
  void expectRoom(const Program& program) const;
  /** Comes before the ops of a program. */
  void begin(const Program& program);
  void run(const Op& op);

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

  /** Nothing is launched for a grid without blocks. */
  template <typename Arguments>
  void launch(const char* kernel, const LaunchGrid& grid, const Arguments& arguments);
  /** A thread for each of `count` things. */
  template <typename Arguments>
  void launchEach(const char* kernel, size_t count, const Arguments& arguments);
  void append(const Matrix& rows, float* cache, size_t kvHeads, size_t dim, const RowPlace* places);
  /** Sets what the arguments have together, and launches. */
  void attend(struct AttendArguments arguments);

  Driver& driver_;
  Stream stream_;
  float* workspace_;
  size_t workspaceFloats_;
  bool fast_;
  /** Of the program that runs: rows that a sequence has in the pass, on average. */
  size_t rowsOfSequence_ = 1;
};

}  // namespace airllm
