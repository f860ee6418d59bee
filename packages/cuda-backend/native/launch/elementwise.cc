// Launches of the ops that treat every element by itself, and of those that move rows or columns.

#include "launch.h"

namespace airllm {
namespace {

size_t elements(const Matrix& m) { return m.rows * m.cols; }

}  // namespace

void Launcher::run(const Op& op) {
  std::visit([this](const auto& typed) { run(typed); }, op);
}

void Launcher::run(const GluOp& op) { launchEach("glu", elements(op.out), op); }
void Launcher::run(const ClampedGluOp& op) { launchEach("clamped_glu", elements(op.out), op); }
void Launcher::run(const ActivateOp& op) { launchEach("activate", elements(op.out), op); }
void Launcher::run(const SigmoidGateOp& op) { launchEach("sigmoid_gate", elements(op.out), op); }
void Launcher::run(const SoftcapOp& op) { launchEach("softcap", elements(op.x), op); }
void Launcher::run(const ScaleOp& op) { launchEach("scale", elements(op.x), op); }
void Launcher::run(const ScaleRowsOp& op) { launchEach("scale_rows", elements(op.x), op); }
void Launcher::run(const AccumulateOp& op) { launchEach("accumulate", elements(op.x), op); }
void Launcher::run(const FillOp& op) { launchEach("fill", elements(op.x), op); }
void Launcher::run(const UngroupOp& op) { launchEach("ungroup", elements(op.out), op); }
void Launcher::run(const GatherRowsOp& op) { launchEach("gather_rows", elements(op.out), op); }
void Launcher::run(const ScatterAddRowsOp& op) { launchEach("scatter_add_rows", op.x.cols, op); }

void Launcher::run(const EmbeddingOp& op) {
  launchEach("embedding", op.out.rows * blocksOf(op.out.cols, 8), op);
}

void Launcher::run(const RopeOp& op) {
  launchEach("rope", op.x.rows * (op.x.cols / op.headDim) * (op.rotaryDim / 2), op);
}

}  // namespace airllm
