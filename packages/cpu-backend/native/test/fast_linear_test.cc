// linear in bf16 against double sums over operands that are rounded to bf16 here, by the definition.

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "executor.h"
#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

/** The sets of this machine; those that it lacks are named once. */
std::vector<const FastLinear*> everyFastLinear() {
  std::vector<const FastLinear*> found;
  for (const char* name : {"amx", "avx512bf16"}) {
    if (const FastLinear* fast = fastLinearFor(name)) {
      found.push_back(fast);
      continue;
    }
    static std::string told;
    if (told.find(name) == std::string::npos)
      std::fprintf(stderr, "skipped: linear with %s is not available here\n", name);
    told += name;
  }
  return found;
}

/** To nearest, ties to even. */
double roundToBf16(double value) {
  const float single = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &single, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  float rounded;
  std::memcpy(&rounded, &bits, sizeof rounded);
  return rounded;
}

/** Runs one op on one thread, packing included. */
void runFast(const FastLinear& fast, const LinearOp& op) {
  const auto scratch = std::make_unique<FastScratch>();
  std::vector<uint16_t> packed(packedValues(op.x.rows, op.x.cols) + kTileSide * kTileSide);
  void* start = packed.data();
  size_t space = packed.size() * sizeof(uint16_t);
  auto* aligned = static_cast<uint16_t*>(std::align(64, 64, start, space));
  fast.packRows(op.x, 0, (op.x.rows + kTileSide - 1) / kTileSide, aligned);
  fast.linear(op, aligned, 0, op.weight.rows, *scratch);
}

/** Largest error over the sum of magnitudes of an output. */
double worstError(const RandomMatrix& x, const std::vector<double>& weights, const std::vector<double>& bias,
                  const RandomMatrix& out) {
  const size_t depth = x.matrix.cols;
  double worst = 0;
  for (size_t t = 0; t < out.matrix.rows; t++) {
    for (size_t n = 0; n < out.matrix.cols; n++) {
      double expected = bias[n], magnitude = std::fabs(expected);
      for (size_t k = 0; k < depth; k++) {
        const double term = roundToBf16(x.at(t, k)) * roundToBf16(weights[n * depth + k]);
        expected += term;
        magnitude += std::fabs(term);
      }
      worst = std::max(worst, std::fabs(out.at(t, n) - expected) / magnitude);
    }
  }
  return worst;
}

/** Roundings of a float32 sum: at most one per column, below 2⁻²⁴ of the sum of magnitudes each. */
double tolerance(size_t depth) { return (static_cast<double>(depth) + 8) * 0x1p-24; }

struct Case {
  size_t rows, depth, outputs;
};

}  // namespace

TEST_CASE("linear in bf16 agrees with double sums for every dtype, tail, stride and alignment") {
  std::mt19937 random(91);
  for (const FastLinear* fast : everyFastLinear()) {
    for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF8E4M3}) {
      for (const Case& c : {Case{1, 1, 1}, Case{8, 97, 19}, Case{16, 32, 16}, Case{17, 33, 17},
                            Case{31, 64, 33}, Case{33, 257, 48}, Case{70, 300, 270}, Case{40, 2100, 35}}) {
        CAPTURE(fast->name);
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(c.rows);
        CAPTURE(c.depth);
        const RandomWeight weight(random, dtype, c.outputs, c.depth);
        const RandomWeight bias(random, dtype, 1, c.outputs);
        const RandomMatrix x(random, c.rows, c.depth);
        const RandomMatrix before(random, c.rows, c.outputs);
        RandomMatrix out = copyOf(before);
        runFast(*fast, {x.matrix, weight.weight, bias.weight, out.matrix});
        CHECK(worstError(x, weight.values, bias.values, out) <= tolerance(c.depth));
        CHECK(strayWrites(before, out) == 0);
      }
    }
  }
}

TEST_CASE("linear in bf16 decodes packed weights") {
  // q4_0: d = 1, 16 bytes of (low nibble of value i, high nibble of value 16 + i), value nibble − 8.
  std::mt19937 random(92);
  constexpr size_t kOutputs = 37, kBlocks = 9, kDepth = 32 * kBlocks;
  std::vector<uint8_t> bytes(kOutputs * kBlocks * 18);
  std::vector<double> values(kOutputs * kDepth);
  for (size_t block = 0; block < kOutputs * kBlocks; block++) {
    uint8_t* from = bytes.data() + block * 18;
    from[0] = 0;
    from[1] = 0x3c;
    for (size_t i = 0; i < 16; i++) {
      from[2 + i] = static_cast<uint8_t>(random());
      values[block * 32 + i] = (from[2 + i] & 15) - 8;
      values[block * 32 + 16 + i] = (from[2 + i] >> 4) - 8;
    }
  }
  for (const FastLinear* fast : everyFastLinear()) {
    CAPTURE(fast->name);
    const RandomMatrix x(random, 20, kDepth);
    const RandomMatrix out(random, 20, kOutputs);
    runFast(*fast, {x.matrix, {bytes.data(), DType::kQ4, kOutputs, kDepth}, kAbsent, out.matrix});
    CHECK(worstError(x, values, std::vector<double>(kOutputs), out) <= tolerance(kDepth));
  }
}

TEST_CASE("linear in bf16 keeps infinities and NaN in their own rows") {
  std::mt19937 random(93);
  for (const FastLinear* fast : everyFastLinear()) {
    CAPTURE(fast->name);
    const RandomWeight weight(random, DType::kBF16, 20, 50);
    const RandomMatrix x(random, 20, 50);
    const RandomMatrix out(random, 20, 20);
    x.matrix.data[3 * x.matrix.stride + 7] = INFINITY;
    x.matrix.data[5 * x.matrix.stride + 49] = NAN;
    runFast(*fast, {x.matrix, weight.weight, kAbsent, out.matrix});
    for (size_t t = 0; t < 20; t++) {
      for (size_t n = 0; n < 20; n++) {
        if (t == 3) CHECK(std::isinf(out.at(t, n)));
        if (t == 5) CHECK(std::isnan(out.at(t, n)));
        if (t != 3 && t != 5) CHECK(std::isfinite(out.at(t, n)));
      }
    }
  }
}

TEST_CASE("the executor shares linear in bf16 among threads and packs what changed") {
  std::mt19937 random(94);
  // More rows than a block has; the second op writes what the third multiplies again.
  constexpr size_t kRows = kBlockRows + 40, kWidth = 96;
  const RandomWeight first(random, DType::kBF16, kWidth, kWidth), second(random, DType::kF16, kWidth, kWidth);
  const RandomMatrix x(random, kRows, kWidth);
  const std::atomic<bool> stop{false};
  for (const FastLinear* fast : everyFastLinear()) {
    CAPTURE(fast->name);
    std::vector<float> alone;
    for (const size_t threads : {1u, 2u, 5u}) {
      std::mt19937 same(95);
      const RandomMatrix a(same, kRows, kWidth), b(same, kRows, kWidth), c(same, kRows, kWidth);
      Program program;
      program.ops.push_back(LinearOp{x.matrix, first.weight, kAbsent, a.matrix});
      program.ops.push_back(LinearOp{x.matrix, second.weight, kAbsent, b.matrix});
      program.ops.push_back(AccumulateOp{a.matrix, b.matrix});
      program.ops.push_back(LinearOp{a.matrix, second.weight, kAbsent, c.matrix});
      program.ops.push_back(ScaleOp{a.matrix, 0.5f});
      program.ops.push_back(LinearOp{a.matrix, second.weight, kAbsent, b.matrix});
      Executor(*kernelsFor("auto"), fast, threads).execute(program, stop);
      // Halving is exact in bf16 and float32.
      size_t different = 0;
      for (size_t t = 0; t < kRows; t++) {
        for (size_t n = 0; n < kWidth; n++) different += b.at(t, n) * 2 != c.at(t, n);
      }
      CHECK(different == 0);
      if (alone.empty()) alone = c.storage;
      CHECK(std::memcmp(alone.data(), c.storage.data(), alone.size() * sizeof(float)) == 0);
    }
  }
}
