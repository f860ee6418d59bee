// Launches of norms and projections.

#include "../kernels/linear_arguments.h"
#include "launch.h"

namespace airllm {
namespace {

/** Rows of a block of linear_transposed. */
constexpr size_t kTransposedRows = 4;
/** Threads of it: 8 columns each. */
constexpr unsigned kTransposedThreads = 64;

struct LinearKernels {
  const char* few;
  const char* many;
  const char* tiles;
};

LinearKernels linearKernels(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return {"linear_f32_few", "linear_f32_many", "linear_f32_tiles"};
    case DType::kF16:
      return {"linear_f16_few", "linear_f16_many", "linear_f16_tiles"};
    case DType::kBF16:
      return {"linear_bf16_few", "linear_bf16_many", "linear_bf16_tiles"};
    case DType::kF8E4M3:
      return {"linear_f8_few", "linear_f8_many", "linear_f8_tiles"};
    case DType::kQ8:
      return {"linear_q8_few", "linear_q8_many", "linear_q8_tiles"};
    case DType::kQ4:
      return {"linear_q4_few", "linear_q4_many", "linear_q4_tiles"};
    case DType::kQ4K:
      return {"linear_q4k_few", "linear_q4k_many", "linear_q4k_tiles"};
    case DType::kQ6K:
      return {"linear_q6k_few", "linear_q6k_many", "linear_q6k_tiles"};
    case DType::kMxFp4:
      return {"linear_mxfp4_few", "linear_mxfp4_many", "linear_mxfp4_tiles"};
    case DType::kCode4:
      return {"linear_code4_few", "linear_code4_many", "linear_code4_tiles"};
    case DType::kGptq:
      return {"linear_gptq_few", "linear_gptq_many", "linear_gptq_tiles"};
    case DType::kAwq:
      return {"linear_awq_few", "linear_awq_many", "linear_awq_tiles"};
    case DType::kCode8:
      return {"linear_code8_few", "linear_code8_many", "linear_code8_tiles"};
    case DType::kInt8:
      return {"linear_int8_few", "linear_int8_many", "linear_int8_tiles"};
    case DType::kInt4:
      return {"linear_int4_few", "linear_int4_many", "linear_int4_tiles"};
    case DType::kBf16z:
      return {"linear_bf16z_few", "linear_bf16z_many", "linear_bf16z_tiles"};
  }
  throw DriverError("DEVICE_LOST", "Expected a known dtype");
}

/** Of a norm: as many threads as a group has columns, in whole warps. The same for every row. */
LaunchGrid normGrid(const Matrix& x, size_t groupWidth) {
  const size_t threads = std::min<size_t>(kThreads, blocksOf(groupWidth, 32) * 32);
  return {static_cast<unsigned>(x.rows * (x.cols / groupWidth)), 1, static_cast<unsigned>(threads), 0};
}

}  // namespace

void Launcher::run(const RmsNormOp& op) { launch("rms_norm", normGrid(op.x, op.groupWidth), op); }
void Launcher::run(const LayerNormOp& op) { launch("layer_norm", normGrid(op.x, op.groupWidth), op); }

void Launcher::run(const LinearOp& op) {
  if (op.x.rows == 0) return;
  LinearArguments arguments{op.x, op.weight, op.bias, op.out, nullptr, false};
  if (op.normalizeRows) {
    arguments.lengths = workspace_;
    launch("row_lengths", {static_cast<unsigned>(blocksOf(op.weight.rows, 8)), 1, kThreads, 0},
           RowLengthsArguments{op.weight, workspace_});
  }
  const bool many = op.x.rows > 8;
  const size_t rows = many ? 8 * kLinearManyTiles : 8;
  // float32 weights keep their bits in every precision.
  arguments.fast = fast_ && many && op.weight.dtype != DType::kF32;
  const LinearKernels kernels = linearKernels(op.weight.dtype);
  if (op.x.rows > rows) {
    return launch(kernels.tiles,
                  {static_cast<unsigned>(blocksOf(op.weight.rows, kTileColumns)),
                   static_cast<unsigned>(blocksOf(op.x.rows, kTileRows)), 32 * kLinearWarps, 0},
                  arguments);
  }
  launch(many ? kernels.many : kernels.few,
         {static_cast<unsigned>(blocksOf(op.weight.rows, kLinearRows)),
          static_cast<unsigned>(blocksOf(op.x.rows, rows)), 32 * kLinearWarps, 0},
         arguments);
}

void Launcher::run(const LinearTransposedOp& op) {
  launch("linear_transposed",
         {static_cast<unsigned>(blocksOf(op.weight.cols, 8 * kTransposedThreads)),
          static_cast<unsigned>(blocksOf(op.x.rows, kTransposedRows)), kTransposedThreads, 0},
         op);
}

}  // namespace airllm
