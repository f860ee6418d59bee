#include "executor.h"

#include <algorithm>

namespace airllm {
namespace {

/** Multiply-adds that take about as long as waking a worker. */
constexpr size_t kWorthSharing = 32 * 1024;
/** Weight rows that linear handles best together: of one row of x, of several (a panel), of many (a block).
 */
constexpr size_t kGemvChunk = 16;
constexpr size_t kPanelChunk = 12;
constexpr size_t kBlockChunk = 48;
/** Fewer whole blocks would leave threads waiting for the last one. */
constexpr size_t kBlocksPerThread = 8;
/** Fewer chunks of linear in bf16, since all of x goes by for each. */
constexpr size_t kFastChunksPerThread = 4;
/** Linears of one row that are shared among threads as one. */
constexpr size_t kMostTogether = 64;
/** Heads of latent attention that share each block of the cache while it is in the first-level cache. */
constexpr size_t kMostHeadsTogether = 8;

size_t columnUnits(const Matrix& x) { return x.rows * ((x.cols + kColumnBlock - 1) / kColumnBlock); }

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

size_t blocksOf(const LinearOp& op) { return (op.weight.rows + kGemvChunk - 1) / kGemvChunk; }

/** One row times the same x. */
bool sharesRow(const LinearOp& a, const LinearOp& b) {
  return b.x.rows == 1 && a.x.rows == 1 && a.x.data == b.x.data && a.x.cols == b.x.cols;
}

/** Whether two outputs of one row have no element in common. */
bool apart(const Matrix& a, const Matrix& b) {
  return a.data + a.cols <= b.data || b.data + b.cols <= a.data;
}

}  // namespace

Executor::Executor(const Kernels& kernels, const FastLinear* fast, size_t threads)
    : kernels_(kernels),
      fast_(fast),
      packed_(fast == nullptr ? nullptr : new PackedRows),
      fastScratch_(fast == nullptr ? nullptr : new FastScratch[threads]),
      scratch_(new Scratch[threads]),
      pool_(threads) {}

void Executor::execute(const Program& program, const std::atomic<bool>& stop) {
  packedFrom_ = {};
  for (size_t i = 0; i < program.ops.size();) {
    if (stop) return;
    const Op& op = program.ops[i];
    if (!std::holds_alternative<LinearOp>(op)) packedFrom_ = {};
    const size_t together = linearsTogether(program, i);
    if (together > 1) {
      runTogether(program, i, together);
    } else {
      std::visit([this](const auto& typed) { run(typed); }, op);
    }
    i += together;
  }
}

size_t Executor::linearsTogether(const Program& program, size_t first) const {
  const LinearOp* head = std::get_if<LinearOp>(&program.ops[first]);
  if (head == nullptr) return 1;
  size_t count = 1;
  for (; count < kMostTogether && first + count < program.ops.size(); count++) {
    const LinearOp* next = std::get_if<LinearOp>(&program.ops[first + count]);
    if (next == nullptr || !sharesRow(*head, *next)) break;
    for (size_t i = 0; i < count; i++) {
      if (!apart(std::get<LinearOp>(program.ops[first + i]).out, next->out)) return count;
    }
  }
  return count;
}

void Executor::runTogether(const Program& program, size_t first, size_t count) {
  const auto linear = [&](size_t i) -> const LinearOp& { return std::get<LinearOp>(program.ops[first + i]); };
  size_t ends[kMostTogether];
  size_t blocks = 0;
  for (size_t i = 0; i < count; i++) ends[i] = blocks += blocksOf(linear(i));
  const size_t blockWork = kGemvChunk * std::max<size_t>(1, linear(0).weight.cols);
  pool_.run(
      blocks, std::max<size_t>(1, kWorthSharing / blockWork), [&](size_t begin, size_t end, size_t thread) {
        size_t i = 0;
        while (ends[i] <= begin) i++;
        for (size_t block = begin; block < end; i++) {
          const LinearOp& op = linear(i);
          const size_t start = i == 0 ? 0 : ends[i - 1];
          const size_t last = std::min(end, ends[i]);
          kernels_.linear(op, (block - start) * kGemvChunk,
                          std::min(op.weight.rows, (last - start) * kGemvChunk), scratch_[thread].floats);
          block = last;
        }
      });
}

template <typename Body>
void Executor::share(size_t units, size_t unitWork, Body body) {
  const size_t chunk = std::max<size_t>(1, kWorthSharing / 2 / std::max<size_t>(1, unitWork));
  pool_.run(units, chunk,
            [&](size_t begin, size_t end, size_t thread) { body(begin, end, scratch_[thread].floats); });
}

template <typename OpType>
void Executor::split(void (*kernel)(const OpType&, size_t, size_t), const OpType& op, size_t units,
                     size_t unitWork) {
  share(units, unitWork, [&](size_t begin, size_t end, float*) { kernel(op, begin, end); });
}

void Executor::run(const EmbeddingOp& op) { split(kernels_.embedding, op, op.out.rows, op.out.cols); }

void Executor::run(const RmsNormOp& op) {
  split(kernels_.rmsNorm, op, op.x.rows * (op.x.cols / op.groupWidth), op.groupWidth * 2);
}

void Executor::run(const LayerNormOp& op) {
  split(kernels_.layerNorm, op, op.x.rows * (op.x.cols / op.groupWidth), op.groupWidth * 4);
}

void Executor::packOnce(const Matrix& x) {
  const Matrix& from = packedFrom_;
  if (x.data == from.data && x.rows == from.rows && x.cols == from.cols && x.stride == from.stride) return;
  pool_.run((x.rows + kTileSide - 1) / kTileSide, 1,
            [&](size_t begin, size_t end, size_t) { fast_->packRows(x, begin, end, packed_->values); });
  packedFrom_ = x;
}

void Executor::runFast(const LinearOp& op) {
  const size_t fitting = kPackedValues / packedValues(kTileSide, op.x.cols) * kTileSide;
  const size_t together = std::min(fitting, kBlockRows);
  const size_t fair = op.weight.rows / (pool_.threads() * kFastChunksPerThread);
  const size_t chunk = std::clamp(roundUp(fair, 2 * kTileSide), 2 * kTileSide, kBlockWeights);
  for (size_t t = 0; t < op.x.rows; t += together) {
    const size_t rows = std::min(together, op.x.rows - t);
    LinearOp block = op;
    block.x = {op.x.data + t * op.x.stride, rows, op.x.cols, op.x.stride};
    block.out = {op.out.data + t * op.out.stride, rows, op.out.cols, op.out.stride};
    packOnce(block.x);
    pool_.run(op.weight.rows, chunk, [&](size_t begin, size_t end, size_t thread) {
      fast_->linear(block, packed_->values, begin, end, fastScratch_[thread]);
    });
  }
}

void Executor::run(const LinearOp& op) {
  if (op.x.rows == 0) return;
  if (fast_ != nullptr && takesFast(op)) return runFast(op);
  packedFrom_ = {};
  const size_t unitWork = op.x.rows * std::max<size_t>(1, op.weight.cols);
  const size_t worth = std::max<size_t>(1, kWorthSharing / unitWork);
  const bool byBlocks = op.weight.rows >= pool_.threads() * kBlocksPerThread * kBlockChunk;
  const size_t chunk = op.x.rows == 1 ? kGemvChunk : byBlocks ? kBlockChunk : kPanelChunk;
  pool_.run(op.weight.rows, roundUp(worth, chunk), [&](size_t begin, size_t end, size_t thread) {
    kernels_.linear(op, begin, end, scratch_[thread].floats);
  });
}

void Executor::run(const LinearTransposedOp& op) {
  if (op.x.rows == 0) return;
  const size_t units = (op.weight.cols + kTransposedColumns - 1) / kTransposedColumns;
  const size_t work = op.x.rows * op.weight.rows * kTransposedColumns;
  share(units, work, [&](size_t begin, size_t end, float* scratch) {
    kernels_.linearTransposed(op, begin, end, scratch);
  });
}

void Executor::run(const RopeOp& op) {
  split(kernels_.rope, op, op.x.rows * (op.x.cols / op.headDim), op.rotaryDim * 2);
}

void Executor::run(const AttentionOp& op) {
  if (op.q.rows == 0) return;
  split(kernels_.appendKeysValues, op, op.kvHeads, op.k.rows * op.headDim);
  const size_t keys = std::min({op.places[op.q.rows - 1].position + 1, op.window, op.chunk});
  split(kernels_.attend, op, op.kvHeads * op.q.rows, keys * op.headDim * 2 * (op.heads / op.kvHeads));
}

void Executor::run(const LatentAttentionOp& op) {
  const size_t rows = op.q.rows;
  if (rows == 0) return;
  const size_t dim = op.rank + op.ropeDim;
  split(kernels_.appendLatents, op, rows, dim);
  // Heads together read the cache once; apart they keep every thread busy.
  const size_t fitting = kScratchFloats / (dim + op.rank);
  const size_t fair = op.heads * rows / (pool_.threads() * 2);
  const size_t together = std::clamp<size_t>(std::min(fair, fitting), 1, kMostHeadsTogether);
  const size_t units = (op.heads + together - 1) / together * rows;
  const size_t perHead =
      op.rank * (op.nopeDim + op.valueDim) + (op.places[rows - 1].position + 1) * (dim + op.rank);
  share(units, perHead * together, [&](size_t begin, size_t end, float* scratch) {
    kernels_.attendLatent(op, together, begin, end, scratch);
  });
}

void Executor::run(const ShortConvOp& op) {
  const size_t units = (op.x.cols + kConvColumns - 1) / kConvColumns;
  const size_t work = (op.x.rows + op.inputs.sequenceCount) * op.weight.cols * kConvColumns;
  share(units, work,
        [&](size_t begin, size_t end, float* scratch) { kernels_.shortConv(op, begin, end, scratch); });
}

void Executor::run(const GatedDeltaOp& op) {
  const size_t sequences = op.state.sequenceCount;
  if (sequences == 0) return;
  const size_t work = (op.q.rows / sequences + 1) * op.keyDim * op.valueDim * 2;
  share(sequences * op.valueHeads, work,
        [&](size_t begin, size_t end, float* scratch) { kernels_.gatedDelta(op, begin, end, scratch); });
}

void Executor::run(const GluOp& op) { split(kernels_.glu, op, columnUnits(op.gate), kColumnBlock * 8); }

void Executor::run(const ClampedGluOp& op) {
  split(kernels_.clampedGlu, op, columnUnits(op.out), kColumnBlock * 8);
}

void Executor::run(const ActivateOp& op) {
  split(kernels_.activate, op, columnUnits(op.x), kColumnBlock * 8);
}

void Executor::run(const SigmoidGateOp& op) {
  split(kernels_.sigmoidGate, op, columnUnits(op.x), kColumnBlock * 8);
}

void Executor::run(const SoftcapOp& op) { split(kernels_.softcap, op, columnUnits(op.x), kColumnBlock * 8); }

void Executor::run(const ScaleOp& op) { split(kernels_.scale, op, columnUnits(op.x), kColumnBlock); }

void Executor::run(const ScaleRowsOp& op) { split(kernels_.scaleRows, op, columnUnits(op.x), kColumnBlock); }

void Executor::run(const AccumulateOp& op) {
  split(kernels_.accumulate, op, columnUnits(op.x), kColumnBlock);
}

void Executor::run(const FillOp& op) { split(kernels_.fill, op, columnUnits(op.x), kColumnBlock); }

void Executor::run(const UngroupOp& op) { split(kernels_.ungroup, op, op.x.rows, op.out.cols); }

void Executor::run(const GatherRowsOp& op) { split(kernels_.gatherRows, op, op.out.rows, op.out.cols); }

void Executor::run(const ScatterAddRowsOp& op) {
  const size_t units = (op.x.cols + kColumnBlock - 1) / kColumnBlock;
  split(kernels_.scatterAddRows, op, units, op.x.rows * kColumnBlock);
}

}  // namespace airllm
