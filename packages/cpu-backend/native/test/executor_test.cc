// Ops large enough to be shared: the same bits with any number of threads, and no two threads at the same
// bytes.

#include "executor.h"

#include <doctest/doctest.h>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

/** Two sequences of 20 rows: positions 0 … and 5 …, slots 1 and 0. */
constexpr size_t kRows = 40;
const std::vector<SequenceRun> kRuns = {{0, 20, 0, 1}, {20, 20, 5, 0}};
const std::vector<int32_t> kBlocks[] = {{0, 1}, {3, 2}};

Matrix columns(const RandomMatrix& m, size_t first, size_t count) {
  return {m.matrix.data + first, m.matrix.rows, count, m.matrix.stride};
}

/** Runs every op that is shared in a way of its own, on the same random operands, and returns what they
 * wrote. */
std::vector<float> outputsWith(const Kernels& kernels, size_t threads) {
  std::mt19937 random(71);
  Program program;
  for (size_t s = 0; s < 2; s++) {
    for (size_t t = 0; t < 20; t++) program.places.push_back({kRuns[s].past + t, kBlocks[s].data()});
  }
  const RandomMatrix x(random, kRows, 1200);
  RandomMatrix out(random, kRows, 1200);
  std::vector<float> latents(4 * 16 * 72, 0.5f), slots(2 * 10000, 0.25f);
  const RandomWeight matrix(random, DType::kBF16, 200, 300), kvB(random, DType::kF8E4M3, 6 * 80, 64);
  const RandomWeight taps(random, DType::kF32, 300, 4), heads(random, DType::kF32, 1, 8);
  const RecurrentMemory memory{slots.data(), 10000, kRuns.data(), kRuns.size()};
  program.ops.push_back(
      LinearTransposedOp{columns(x, 0, 200), matrix.weight, kAbsent, columns(out, 0, 300), false});
  program.ops.push_back(LatentAttentionOp{columns(x, 200, 6 * 48), columns(x, 500, 72), kvB.weight,
                                          columns(out, 300, 6 * 40), latents.data(), 6, 64, 40, 8, 40, 0.2f,
                                          program.places.data()});
  program.ops.push_back(
      ShortConvOp{columns(x, 600, 300), taps.weight, kAbsent, columns(out, 600, 300), memory});
  RecurrentMemory state = memory;
  state.data += 900;
  program.ops.push_back(GatedDeltaOp{columns(x, 0, 128), columns(x, 128, 128), columns(x, 256, 256),
                                     columns(x, 600, 8), columns(x, 608, 8), heads.weight, heads.weight,
                                     columns(out, 900, 256), 4, 8, 32, 32, state});
  program.ops.push_back(LinearOp{columns(x, 0, 300), matrix.weight, kAbsent, columns(out, 0, 200), true});
  Executor executor(kernels, nullptr, threads);
  const std::atomic<bool> stop{false};
  executor.execute(program, stop);
  std::vector<float> written = out.storage;
  written.insert(written.end(), latents.begin(), latents.end());
  written.insert(written.end(), slots.begin(), slots.end());
  return written;
}

/** Linears of one row that follow one another: blocks of rows, an output upon another, one upon their row. */
std::vector<Op> linearsOfOneRow(const std::vector<RandomWeight>& weights, std::vector<float>& row) {
  const auto at = [&](size_t first, size_t count) {
    return Matrix{row.data() + first, 1, count, row.size()};
  };
  const auto linear = [&](size_t weight, size_t x, size_t out) -> Op {
    const Weight& matrix = weights[weight].weight;
    return LinearOp{at(x, matrix.cols), matrix, kAbsent, at(out, matrix.rows), false};
  };
  return {linear(0, 0, 300),   // 203 rows
          linear(1, 0, 503),   // 7 rows, right behind it
          linear(2, 0, 510),   // 300 rows
          linear(1, 0, 512),   // upon the output before it
          linear(2, 300, 0),   // of those outputs, upon the row they are of
          linear(0, 0, 810)};  // of what is there now  // of another row
}

std::vector<float> rowAfter(Executor& executor, const std::vector<RandomWeight>& weights, bool together) {
  std::mt19937 random(5);
  std::vector<float> row(1100);
  for (float& value : row) value = static_cast<float>(random() % 2001) / 1000 - 1;
  const std::vector<Op> ops = linearsOfOneRow(weights, row);
  const std::atomic<bool> stop{false};
  Program all;
  for (const Op& op : ops) {
    all.ops.push_back(op);
    if (together) continue;
    executor.execute(all, stop);
    all.ops.clear();
  }
  executor.execute(all, stop);
  return row;
}

}  // namespace

TEST_CASE("linears of one row give the same bits together as one by one") {
  std::mt19937 random(72);
  std::vector<RandomWeight> weights;
  weights.reserve(3);  // a weight points into its own storage
  for (const size_t rows : {203u, 7u, 300u}) weights.emplace_back(random, DType::kBF16, rows, 300);
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t threads : {1u, 3u}) {
      Executor executor(*kernels, nullptr, threads);
      CAPTURE(kernels->name);
      CAPTURE(threads);
      const std::vector<float> alone = rowAfter(executor, weights, false);
      const std::vector<float> together = rowAfter(executor, weights, true);
      CHECK(std::memcmp(alone.data(), together.data(), alone.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("shared ops write the same bits with any number of threads") {
  for (const Kernels* kernels : everyKernels()) {
    const std::vector<float> alone = outputsWith(*kernels, 1);
    for (const size_t threads : {2u, 5u}) {
      const std::vector<float> shared = outputsWith(*kernels, threads);
      CAPTURE(kernels->name);
      CHECK(std::memcmp(shared.data(), alone.data(), alone.size() * sizeof(float)) == 0);
    }
  }
}
