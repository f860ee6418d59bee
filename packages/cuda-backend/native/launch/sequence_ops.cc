// Launches of the ops that know positions or remember their sequences.

#include "../kernels/attention_arguments.h"
#include "launch.h"

namespace airllm {
namespace {

/** Floats of the workspace that one row of latent attention takes: queries, then sums of latents. */
size_t latentRowFloats(const LatentAttentionOp& op) { return op.heads * (2 * op.rank + op.ropeDim); }

/** Floats of the workspace that an op cannot do without. */
struct WorkspaceNeed {
  size_t operator()(const LatentAttentionOp& op) const { return latentRowFloats(op); }
  size_t operator()(const LinearOp& op) const { return op.normalizeRows ? op.weight.rows : 0; }
  template <typename OtherOp>
  size_t operator()(const OtherOp&) const {
    return 0;
  }
};

}  // namespace

void Launcher::expectRoom(const Program& program) const {
  for (const Op& op : program.ops) {
    const size_t floats = std::visit(WorkspaceNeed{}, op);
    if (floats <= workspaceFloats_) continue;
    throw DriverError("OUT_OF_DEVICE_MEMORY", "Expected an op to need at most " +
                                                  std::to_string(workspaceFloats_ * 4) +
                                                  " bytes of workspace but it needs " +
                                                  std::to_string(floats * 4) + "; raise workspaceBytes");
  }
}

void Launcher::append(const Matrix& rows, float* cache, size_t kvHeads, size_t dim, const RowPlace* places) {
  launchEach("append_rows", rows.rows * rows.cols, AppendArguments{rows, cache, kvHeads, dim, places});
}

void Launcher::begin(const Program& program) {
  size_t sequences = 0;
  const int32_t* blocks = nullptr;
  for (const RowPlace& place : program.places) {
    if (place.blocks != blocks) sequences++;
    blocks = place.blocks;
  }
  rowsOfSequence_ = sequences == 0 ? 1 : program.places.size() / sequences;
}

void Launcher::attend(AttendArguments arguments) {
  const char* kernel = arguments.valueDim <= 128   ? "attend_128"
                       : arguments.valueDim <= 256 ? "attend_256"
                                                   : "attend_576";
  const size_t group = arguments.heads / arguments.kvHeads;
  arguments.headsTogether = std::min<size_t>(group, kAttentionWarps);
  // Rows of a prompt share the keys that a block loads. Those of different sequences would wait for each
  // other.
  arguments.rowsTogether = std::min(kAttentionWarps / arguments.headsTogether, rowsOfSequence_);
  launch(kernel,
         {static_cast<unsigned>(blocksOf(arguments.q.rows, arguments.rowsTogether)),
          static_cast<unsigned>(arguments.kvHeads * blocksOf(group, arguments.headsTogether)),
          static_cast<unsigned>(32 * arguments.headsTogether * arguments.rowsTogether), 0},
         arguments);
}

void Launcher::run(const AttentionOp& op) {
  append(op.k, op.keys, op.kvHeads, op.headDim, op.places);
  append(op.v, op.values, op.kvHeads, op.headDim, op.places);
  attend({op.q, op.out, op.keys, op.values, op.heads, op.kvHeads, op.headDim, op.headDim, op.headDim,
          op.scale, op.window, op.chunk, op.softcap, op.sinks, op.slopes, op.places, 1, 1});
}

void Launcher::run(const LatentAttentionOp& op) {
  const size_t dim = op.rank + op.ropeDim, rowFloats = latentRowFloats(op);
  append(op.latent, op.latents, 1, dim, op.places);
  const size_t together = std::max<size_t>(1, workspaceFloats_ / rowFloats);
  for (size_t first = 0; first < op.q.rows; first += together) {
    const size_t rows = std::min(together, op.q.rows - first);
    const Matrix queries{workspace_, rows, op.heads * dim, op.heads * dim};
    const Matrix sums{workspace_ + rows * queries.cols, rows, op.heads * op.rank, op.heads * op.rank};
    launchEach("latent_queries", rows * queries.cols, LatentQueryArguments{op, queries, first});
    const size_t none = std::numeric_limits<size_t>::max();
    attend({queries,
            sums,
            op.latents,
            op.latents,
            op.heads,
            1,
            dim,
            op.rank,
            dim,
            op.scale,
            none,
            none,
            INFINITY,
            {},
            nullptr,
            op.places + first,
            1,
            1});
    launch("latent_outputs",
           {static_cast<unsigned>(blocksOf(rows * op.out.cols, kThreads / 32)), 1, kThreads, 0},
           LatentOutputArguments{op, sums, first});
  }
}

void Launcher::run(const ShortConvOp& op) {
  launch(
      "short_conv",
      {static_cast<unsigned>(blocksOf(op.x.cols, 64)), static_cast<unsigned>(op.inputs.sequenceCount), 64, 0},
      op);
}

void Launcher::run(const GatedDeltaOp& op) {
  const size_t shared = (op.keyDim * 32 + 2 * op.keyDim) * sizeof(float);
  launch("gated_delta",
         {static_cast<unsigned>(op.valueHeads * blocksOf(op.valueDim, 32)),
          static_cast<unsigned>(op.state.sequenceCount), 32, shared},
         op);
}

}  // namespace airllm
