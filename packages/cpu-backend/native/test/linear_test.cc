#include <doctest/doctest.h>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

struct Case {
  size_t rows, depth, outputs;
};

struct Scratch {
  std::vector<float> storage = std::vector<float>(kScratchFloats + 16);
  float* data() {
    return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(storage.data()) + 63) / 64 * 64);
  }
};

}  // namespace

TEST_CASE("linear agrees with double sums for every dtype, tail, stride and alignment") {
  std::mt19937 random(1);
  Scratch scratch;
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const Case& c : {Case{1, 1, 1}, Case{1, 97, 19}, Case{2, 64, 8}, Case{3, 33, 5}, Case{5, 130, 13},
                            Case{16, 31, 9}, Case{17, 1031, 37}, Case{103, 70, 35}, Case{200, 2100, 33}}) {
        CAPTURE(kernels->name);
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(c.rows);
        CAPTURE(c.depth);
        const RandomWeight weight(random, dtype, c.outputs, c.depth);
        const RandomWeight bias(random, dtype, 1, c.outputs);
        const RandomMatrix x(random, c.rows, c.depth);
        const RandomMatrix before(random, c.rows, c.outputs);
        RandomMatrix out = copyOf(before);
        const LinearOp op{x.matrix, weight.weight, bias.weight, out.matrix};
        kernels->linear(op, 0, c.outputs, scratch.data());
        double worst = 0;
        for (size_t t = 0; t < c.rows; t++) {
          for (size_t n = 0; n < c.outputs; n++) {
            double expected = bias.values[n], magnitude = std::fabs(expected);
            for (size_t k = 0; k < c.depth; k++) {
              const double term = x.at(t, k) * weight.values[n * c.depth + k];
              expected += term;
              magnitude += std::fabs(term);
            }
            worst = std::max(worst, std::fabs(out.at(t, n) - expected) / magnitude);
          }
        }
        // Each of depth / 4 roundings (4 lanes at least) is below 2⁻²⁴ of the sum of magnitudes.
        CHECK(worst <= (static_cast<double>(c.depth) / 4 + 8) * 0x1p-24);
        CHECK(strayWrites(before, out) == 0);
      }
    }
  }
}

TEST_CASE("a row of linear has the same bits whatever its batch and however the outputs are split") {
  std::mt19937 random(2);
  Scratch scratch;
  constexpr size_t kRows = 113, kOutputs = 53;
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const size_t depth : {48u, 1337u, 2048u}) {
        CAPTURE(kernels->name);
        CAPTURE(static_cast<int>(dtype));
        CAPTURE(depth);
        const RandomWeight weight(random, dtype, kOutputs, depth);
        const RandomWeight bias(random, dtype, 1, kOutputs);
        const RandomMatrix x(random, kRows, depth, 0);
        RandomMatrix alone(random, kRows, kOutputs, 0);
        for (size_t t = 0; t < kRows; t++) {
          const Matrix row{x.matrix.data + t * depth, 1, depth, depth};
          kernels->linear(
              {row, weight.weight, bias.weight, {alone.matrix.data + t * kOutputs, 1, kOutputs, kOutputs}}, 0,
              kOutputs, scratch.data());
        }
        for (const size_t batch : {2u, 3u, 4u, 5u, 6u, 7u, 15u, 16u, 17u, 31u, 96u, 97u, 113u}) {
          for (const size_t split : {1u, 3u, 8u, 32u, 53u}) {
            RandomMatrix together(random, batch, kOutputs, 0);
            for (size_t n = 0; n < kOutputs; n += split) {
              kernels->linear(
                  {{x.matrix.data, batch, depth, depth}, weight.weight, bias.weight, together.matrix}, n,
                  std::min(n + split, kOutputs), scratch.data());
            }
            CAPTURE(batch);
            CAPTURE(split);
            CHECK(std::memcmp(together.matrix.data, alone.matrix.data, batch * kOutputs * sizeof(float)) ==
                  0);
          }
        }
      }
    }
  }
}

TEST_CASE("linear without a bias keeps a sum of nothing at zero") {
  std::mt19937 random(3);
  Scratch scratch;
  for (const Kernels* kernels : everyKernels()) {
    const RandomWeight weight(random, DType::kBF16, 9, 0);
    const RandomMatrix x(random, 1, 0);
    RandomMatrix out(random, 1, 9);
    kernels->linear({x.matrix, weight.weight, {nullptr, DType::kF32, 0, 0}, out.matrix}, 0, 9,
                    scratch.data());
    for (size_t n = 0; n < 9; n++) CHECK(out.at(0, n) == 0.0f);
  }
}
