#include "executor.h"

#include <algorithm>

namespace airllm {
namespace {

/** Multiply-adds that take about as long as waking a worker. */
constexpr size_t kWorthSharing = 32 * 1024;
/** Chunks per thread: enough that a thread that was not scheduled for a while does not hold up the rest. */
constexpr size_t kChunksPerThread = 8;
/** Weight rows that linear handles best together: whole register tiles, whole panels. */
constexpr size_t kGemvChunk = 8;
constexpr size_t kPanelChunk = 32;

size_t columnUnits(const Matrix& x) { return x.rows * ((x.cols + kColumnBlock - 1) / kColumnBlock); }

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

Executor::Executor(const Kernels& kernels, size_t threads)
    : kernels_(kernels), scratch_(new Scratch[threads]), pool_(threads) {}

void Executor::execute(const Program& program, const std::atomic<bool>& stop) {
  for (const Op& op : program.ops) {
    if (stop) return;
    std::visit([this](const auto& typed) { run(typed); }, op);
  }
}

template <typename OpType>
void Executor::split(void (*kernel)(const OpType&, size_t, size_t), const OpType& op, size_t units,
                     size_t unitWork) {
  const size_t worth = std::max<size_t>(1, kWorthSharing / 2 / std::max<size_t>(1, unitWork));
  const size_t chunk = std::max(worth, units / (pool_.threads() * kChunksPerThread));
  pool_.run(units, chunk, [&](size_t begin, size_t end, size_t) { kernel(op, begin, end); });
}

void Executor::run(const EmbeddingOp& op) { split(kernels_.embedding, op, op.out.rows, op.out.cols); }

void Executor::run(const RmsNormOp& op) {
  split(kernels_.rmsNorm, op, op.x.rows * (op.x.cols / op.weight.cols), op.weight.cols * 2);
}

void Executor::run(const LinearOp& op) {
  if (op.x.rows == 0) return;
  const size_t unitWork = op.x.rows * std::max<size_t>(1, op.weight.cols);
  const size_t worth = std::max<size_t>(1, kWorthSharing / unitWork);
  const size_t fair = op.weight.rows / (pool_.threads() * kChunksPerThread);
  const size_t tile = op.x.rows > kPanelChunk && fair >= kPanelChunk ? kPanelChunk : kGemvChunk;
  const size_t chunk = roundUp(std::max(worth, fair), tile);
  pool_.run(op.weight.rows, chunk, [&](size_t begin, size_t end, size_t thread) {
    kernels_.linear(op, begin, end, scratch_[thread].floats);
  });
}

void Executor::run(const RopeOp& op) {
  split(kernels_.rope, op, op.x.rows * (op.x.cols / op.headDim), op.rotaryDim * 2);
}

void Executor::run(const AttentionOp& op) {
  if (op.q.rows == 0) return;
  split(kernels_.appendKeysValues, op, op.kvHeads, op.k.rows * op.headDim);
  const size_t keys = std::min(op.places[op.q.rows - 1].position + 1, op.window);
  split(kernels_.attend, op, op.kvHeads * op.q.rows, keys * op.headDim * 2 * (op.heads / op.kvHeads));
}

void Executor::run(const GluOp& op) { split(kernels_.glu, op, columnUnits(op.gate), kColumnBlock * 8); }

void Executor::run(const AccumulateOp& op) {
  split(kernels_.accumulate, op, columnUnits(op.x), kColumnBlock);
}

void Executor::run(const FillOp& op) { split(kernels_.fill, op, columnUnits(op.x), kColumnBlock); }

void Executor::run(const GatherRowsOp& op) { split(kernels_.gatherRows, op, op.out.rows, op.out.cols); }

void Executor::run(const ScatterAddRowsOp& op) {
  const size_t units = (op.x.cols + kColumnBlock - 1) / kColumnBlock;
  split(kernels_.scatterAddRows, op, units, op.x.rows * kColumnBlock);
}

}  // namespace airllm
