#include <doctest/doctest.h>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

TEST_CASE("embedding copies table rows exactly, subnormals included") {
  std::mt19937 random(7);
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      const RandomWeight table(random, dtype, 11, 37);
      const uint32_t ids[] = {10, 0, 3, 3};
      const RandomMatrix before(random, 4, 37);
      RandomMatrix out = copyOf(before);
      kernels->embedding({table.weight, ids, out.matrix}, 0, 4);
      for (size_t i = 0; i < 4; i++) {
        for (size_t c = 0; c < 37; c++) CHECK(out.at(i, c) == table.values[ids[i] * 37 + c]);
      }
      CHECK(strayWrites(before, out) == 0);
    }
  }
}

TEST_CASE("rmsNorm normalises each group, also in place") {
  std::mt19937 random(8);
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const size_t width : {1u, 5u, 16u, 75u}) {
        const size_t groups = 3;
        const bool perRow = width != 5;
        const float offset = width == 16 ? 1 : 0;
        const RandomWeight weight(random, dtype, 1, perRow ? groups * width : width);
        const RandomMatrix x(random, 4, groups * width);
        RandomMatrix out = copyOf(x);
        kernels->rmsNorm({out.matrix, weight.weight, width, offset, 1e-5f, out.matrix}, 0, 4 * groups);
        for (size_t r = 0; r < 4; r++) {
          for (size_t g = 0; g < groups; g++) {
            double squares = 0;
            for (size_t c = 0; c < width; c++) squares += std::pow(x.at(r, g * width + c), 2);
            for (size_t c = 0; c < width; c++) {
              const double expected = x.at(r, g * width + c) /
                                      std::sqrt(squares / static_cast<double>(width) + 1e-5) *
                                      (weight.values[perRow ? g * width + c : c] + offset);
              CHECK(out.at(r, g * width + c) == doctest::Approx(expected).epsilon(2e-6));
            }
          }
        }
        CHECK(strayWrites(x, out) == 0);
      }
    }
  }
}

TEST_CASE("rope rotates pairs of both styles and leaves the rest of a head alone") {
  std::mt19937 random(9);
  for (const Kernels* kernels : everyKernels()) {
    for (const bool interleaved : {false, true}) {
      for (const size_t half : {1u, 7u, 16u, 33u}) {
        const size_t headDim = 2 * half + 3, heads = 2;
        const RandomMatrix x(random, 3, heads * headDim), cos(random, 3, half), sin(random, 3, half);
        RandomMatrix out = copyOf(x);
        kernels->rope({out.matrix, cos.matrix, sin.matrix, headDim, 1, 2 * half, interleaved}, 0, 3 * heads);
        RandomMatrix expected = copyOf(x);
        for (size_t r = 0; r < 3; r++) {
          for (size_t h = 0; h < heads; h++) {
            for (size_t i = 0; i < half; i++) {
              const size_t first = h * headDim + 1 + (interleaved ? 2 * i : i);
              const size_t second = h * headDim + 1 + (interleaved ? 2 * i + 1 : i + half);
              const double a = x.at(r, first), b = x.at(r, second), c = cos.at(r, i), s = sin.at(r, i);
              expected.matrix.data[r * expected.matrix.stride + first] = static_cast<float>(a * c - b * s);
              expected.matrix.data[r * expected.matrix.stride + second] = static_cast<float>(b * c + a * s);
            }
          }
        }
        double worst = 0;
        for (size_t i = 0; i < out.storage.size(); i++) {
          worst = std::max<double>(worst, std::fabs(out.storage[i] - expected.storage[i]));
        }
        CHECK(worst <= 3 * 0x1p-24);  // values below 2, three roundings
      }
    }
  }
}

TEST_CASE("glu is accurate over the whole range of its activations") {
  for (const Kernels* kernels : everyKernels()) {
    for (const Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh}) {
      std::vector<float> gate, up;
      for (float x = -110; x <= 110; x += 0.0437f) gate.push_back(x);
      for (const float x : {0.0f, 1e-30f, -1e-30f, 1e4f, -1e4f}) gate.push_back(x);
      up.assign(gate.size(), 1.5f);
      std::vector<float> out(gate.size());
      const auto row = [](std::vector<float>& data) {
        return Matrix{data.data(), 1, data.size(), data.size()};
      };
      const size_t units = (gate.size() + kColumnBlock - 1) / kColumnBlock;
      kernels->glu({row(gate), row(up), activation, row(out)}, 0, units);
      double worst = 0;
      for (size_t i = 0; i < gate.size(); i++) {
        const double x = gate[i];
        double expected = 0;
        if (activation == Activation::kSilu) expected = x / (1 + std::exp(-x));
        if (activation == Activation::kGelu) expected = 0.5 * x * std::erfc(-x / std::sqrt(2.0));
        if (activation == Activation::kGeluTanh) {
          const double u = std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
          expected = x / (1 + std::exp(-2 * u));
        }
        expected *= 1.5;
        // Relative where the result is normal; the argument of exp carries its own rounding, which e^z
        // magnifies.
        const double argument = activation == Activation::kSilu ? std::fabs(x) : std::pow(std::fabs(x), 3);
        const double slack = (8 + std::min(argument, 110.0) * 4) * 0x1p-24 * std::fabs(expected) + 1e-36;
        worst = std::max(worst, std::fabs(out[i] - expected) / slack);
      }
      CAPTURE(kernels->name);
      CAPTURE(static_cast<int>(activation));
      CHECK(worst <= 1);
    }
  }
}

TEST_CASE("glu, accumulate and fill cover every column block and nothing else") {
  std::mt19937 random(10);
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t cols : {1u, 19u, 1024u, 2051u}) {
      const size_t units = 3 * ((cols + kColumnBlock - 1) / kColumnBlock);
      const RandomMatrix gate(random, 3, cols), up(random, 3, cols, 0);
      RandomMatrix out = copyOf(gate);
      kernels->glu({out.matrix, up.matrix, Activation::kSilu, out.matrix}, 0, units);
      double worst = 0;
      for (size_t r = 0; r < 3; r++) {
        for (size_t c = 0; c < cols; c++) {
          const double expected =
              gate.at(r, c) / (1 + std::exp(-static_cast<double>(gate.at(r, c)))) * up.at(r, c);
          worst = std::max(worst, std::fabs(out.at(r, c) - expected));
        }
      }
      CHECK(worst < 4e-7);
      CHECK(strayWrites(gate, out) == 0);

      RandomMatrix sums = copyOf(gate);
      kernels->accumulate({sums.matrix, up.matrix}, 0, units);
      size_t wrong = 0;
      for (size_t r = 0; r < 3; r++) {
        for (size_t c = 0; c < cols; c++) wrong += sums.at(r, c) != gate.at(r, c) + up.at(r, c);
      }
      CHECK(wrong == 0);
      CHECK(strayWrites(gate, sums) == 0);

      RandomMatrix filled = copyOf(gate);
      kernels->fill({filled.matrix, 2.5f}, 0, units);
      for (size_t r = 0; r < 3; r++) {
        for (size_t c = 0; c < cols; c++) wrong += filled.at(r, c) != 2.5f;
      }
      CHECK(wrong == 0);
      CHECK(strayWrites(gate, filled) == 0);
    }
  }
}

TEST_CASE("gatherRows copies rows, scatterAddRows adds repeated rows in order") {
  std::mt19937 random(11);
  for (const Kernels* kernels : everyKernels()) {
    const size_t cols = 1030;
    const RandomMatrix x(random, 5, cols), target(random, 4, cols);
    const uint32_t picks[] = {4, 0, 4};
    RandomMatrix picked(random, 3, cols);
    kernels->gatherRows({x.matrix, picks, nullptr, picked.matrix}, 0, 3);
    size_t wrong = 0;
    for (size_t i = 0; i < 3; i++) {
      for (size_t c = 0; c < cols; c++) wrong += picked.at(i, c) != x.at(picks[i], c);
    }
    CHECK(wrong == 0);

    const float factors[] = {0.3f, -2, 1};
    kernels->gatherRows({x.matrix, picks, factors, picked.matrix}, 0, 3);
    for (size_t i = 0; i < 3; i++) {
      for (size_t c = 0; c < cols; c++) wrong += picked.at(i, c) != factors[i] * x.at(picks[i], c);
    }
    CHECK(wrong == 0);

    const uint32_t rows[] = {1, 3, 1, 1, 0};
    const float scales[] = {0.5f, 2.0f, -0.25f, 3.0f, 1.0f};
    RandomMatrix out = copyOf(target);
    kernels->scatterAddRows({x.matrix, rows, scales, out.matrix}, 0, 1);
    kernels->scatterAddRows({x.matrix, rows, scales, out.matrix}, 1, 2);
    double worst = 0;
    for (size_t r = 0; r < 4; r++) {
      for (size_t c = 0; c < cols; c++) {
        double expected = target.at(r, c);
        for (size_t i = 0; i < 5; i++) {
          if (rows[i] == r) expected += static_cast<double>(scales[i]) * x.at(i, c);
        }
        worst = std::max(worst, std::fabs(out.at(r, c) - expected));
      }
    }
    CHECK(worst < 2e-6);
    CHECK(strayWrites(target, out) == 0);
  }
}
