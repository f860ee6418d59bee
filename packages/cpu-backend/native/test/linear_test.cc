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
  constexpr size_t kRows = 137, kOutputs = 53;
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
        for (const size_t batch : {2u, 3u, 4u, 5u, 6u, 7u, 12u, 13u, 14u, 15u, 16u, 32u, 128u, 129u, 137u}) {
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
    kernels->linear({x.matrix, weight.weight, kAbsent, out.matrix}, 0, 9, scratch.data());
    for (size_t n = 0; n < 9; n++) CHECK(out.at(0, n) == 0.0f);
  }
}

TEST_CASE("every f8e4m3 byte has the value of its definition, in whole vectors and at the end of a row") {
  // Σₖ x[k] · w[n, k] with one w[n, k] ≠ 0 per row is that value times 1.
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t cols : {size_t{1}, size_t{64}}) {
      std::vector<uint8_t> bytes(256 * cols);
      for (size_t n = 0; n < 256; n++) bytes[n * cols] = static_cast<uint8_t>(n);
      const float one = 1;
      const Scales scales{reinterpret_cast<const uint8_t*>(&one), 1, 256, cols, 0, 63};
      std::vector<float> x(cols, 1.0f), out(256);
      kernels->linear({{x.data(), 1, cols, cols},
                       {bytes.data(), DType::kF8E4M3, 256, cols, scales},
                       kAbsent,
                       {out.data(), 1, 256, 256}},
                      0, 256, nullptr);
      for (uint32_t n = 0; n < 256; n++) {
        CAPTURE(kernels->name);
        CAPTURE(n);
        if ((n & 0x7f) == 0x7f) {
          CHECK(std::isnan(out[n]));
        } else {
          CHECK(out[n] == decode(DType::kF8E4M3, n));
        }
      }
    }
  }
}

TEST_CASE("f8e4m3 blocks of any width scale their own columns") {
  std::mt19937 random(21);
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t scaleCols : {1u, 7u, 16u, 128u, 1000u}) {
      const size_t depth = 300, outputs = 11;
      const RandomWeight weight(random, DType::kF8E4M3, outputs, depth, scaleCols, 2);
      const RandomMatrix x(random, 2, depth);
      RandomMatrix out(random, 2, outputs);
      kernels->linear({x.matrix, weight.weight, kAbsent, out.matrix}, 0, outputs, nullptr);
      double worst = 0;
      for (size_t t = 0; t < 2; t++) {
        for (size_t n = 0; n < outputs; n++) {
          double expected = 0, magnitude = 0;
          for (size_t k = 0; k < depth; k++) {
            expected += x.at(t, k) * weight.values[n * depth + k];
            magnitude += std::fabs(x.at(t, k) * weight.values[n * depth + k]);
          }
          worst = std::max(worst, std::fabs(out.at(t, n) - expected) / magnitude);
        }
      }
      CAPTURE(kernels->name);
      CAPTURE(scaleCols);
      CHECK(worst <= (static_cast<double>(depth) / 4 + 8) * 0x1p-24);
    }
  }
}

TEST_CASE("normalized rows have length one, the same for every batch and split") {
  std::mt19937 random(22);
  Scratch scratch;
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      const size_t depth = 75, outputs = 41, rows = 19;
      const RandomWeight weight(random, dtype, outputs, depth);
      const RandomMatrix x(random, rows, depth);
      RandomMatrix out(random, rows, outputs), parts = copyOf(out);
      kernels->linear({x.matrix, weight.weight, kAbsent, out.matrix, true}, 0, outputs, scratch.data());
      double worst = 0;
      for (size_t n = 0; n < outputs; n++) {
        double squares = 0;
        for (size_t k = 0; k < depth; k++) squares += std::pow(weight.values[n * depth + k], 2);
        for (size_t t = 0; t < rows; t++) {
          double expected = 0;
          for (size_t k = 0; k < depth; k++) expected += x.at(t, k) * weight.values[n * depth + k];
          worst = std::max(worst, std::fabs(out.at(t, n) - expected / std::sqrt(squares)));
        }
      }
      CAPTURE(kernels->name);
      CHECK(worst < 4e-6);
      size_t different = 0;
      for (size_t t = 0; t < rows; t++) {
        const Matrix row{x.matrix.data + t * x.matrix.stride, 1, depth, depth};
        const Matrix to{parts.matrix.data + t * parts.matrix.stride, 1, outputs, outputs};
        kernels->linear({row, weight.weight, kAbsent, to, true}, 0, 17, scratch.data());
        kernels->linear({row, weight.weight, kAbsent, to, true}, 17, outputs, scratch.data());
        for (size_t n = 0; n < outputs; n++) different += parts.at(t, n) != out.at(t, n);
      }
      CHECK(different == 0);
    }
  }
}
