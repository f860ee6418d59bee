#include <doctest/doctest.h>

#include <functional>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

size_t unitsOf(size_t rows, size_t cols) { return rows * ((cols + kColumnBlock - 1) / kColumnBlock); }

/** The largest difference of out from expected(row, col), relative where it is large. */
double deviation(const RandomMatrix& out, const std::function<double(size_t, size_t)>& expected) {
  double worst = 0;
  for (size_t r = 0; r < out.matrix.rows; r++) {
    for (size_t c = 0; c < out.matrix.cols; c++) {
      const double value = expected(r, c);
      worst = std::max(worst, std::fabs(out.at(r, c) - value) / std::max(1.0, std::fabs(value)));
    }
  }
  return worst;
}

double sigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("element-wise ops agree with double and write nowhere else") {
  std::mt19937 random(41);
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t cols : {1u, 19u, 1024u, 1037u}) {
      CAPTURE(kernels->name);
      CAPTURE(cols);
      const size_t units = unitsOf(3, cols);
      RandomMatrix x(random, 3, cols);
      for (float& value : x.storage) value *= 8;
      const RandomMatrix gate(random, 3, cols), rowGate(random, 3, 1), pairs(random, 3, 2 * cols);

      RandomMatrix out = copyOf(x);
      kernels->activate({out.matrix, Activation::kSilu, out.matrix}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) { return x.at(r, c) * sigmoidOf(x.at(r, c)); }) < 4e-7);
      CHECK(strayWrites(x, out) == 0);

      out = copyOf(x);
      kernels->sigmoidGate({out.matrix, gate.matrix, out.matrix}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) { return x.at(r, c) * sigmoidOf(gate.at(r, c)); }) < 4e-7);
      out = copyOf(x);
      kernels->sigmoidGate({out.matrix, rowGate.matrix, out.matrix}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) { return x.at(r, c) * sigmoidOf(rowGate.at(r, 0)); }) <
            4e-7);
      CHECK(strayWrites(x, out) == 0);

      out = copyOf(x);
      kernels->softcap({out.matrix, 3.0f}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) { return 3 * std::tanh(x.at(r, c) / 3.0); }) < 6e-7);
      CHECK(strayWrites(x, out) == 0);

      out = copyOf(x);
      kernels->scale({out.matrix, 0.3f}, 0, units);
      kernels->scaleRows({out.matrix, rowGate.matrix}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) {
              return static_cast<double>(x.at(r, c)) * 0.3f * rowGate.at(r, 0);
            }) < 2e-7);
      CHECK(strayWrites(x, out) == 0);

      out = copyOf(x);
      kernels->clampedGlu({pairs.matrix, 1.702f, 0.5f, out.matrix}, 0, units);
      CHECK(deviation(out, [&](size_t r, size_t c) {
              const double g = std::min(pairs.at(r, 2 * c), 0.5f);
              const double up = std::min(std::max(pairs.at(r, 2 * c + 1), -0.5f), 0.5f);
              return (up + 1) * g * sigmoidOf(1.702f * g);
            }) < 4e-7);
      CHECK(strayWrites(x, out) == 0);
    }
  }
}

TEST_CASE("tanh keeps its digits near zero, its bounds far away, and NaN") {
  for (const Kernels* kernels : everyKernels()) {
    std::vector<float> x;
    for (float value = -12; value < 12; value += 0.0137f) x.push_back(value);
    for (float value = 1e-30f; value < 1; value *= 3) x.push_back(value);
    for (const float value : {0.0f, 1e30f, -1e30f, INFINITY, -INFINITY}) x.push_back(value);
    x.push_back(NAN);
    std::vector<float> out = x;
    kernels->softcap({{out.data(), 1, out.size(), out.size()}, 1.0f}, 0, unitsOf(1, out.size()));
    CAPTURE(kernels->name);
    double worst = 0;
    for (size_t i = 0; i + 1 < x.size(); i++) {
      const double expected = std::tanh(static_cast<double>(x[i]));
      if (expected != 0) worst = std::max(worst, std::fabs(out[i] / expected - 1));
    }
    CHECK(worst < 8 * 0x1p-24);
    CHECK(std::isnan(out.back()));
  }
}

TEST_CASE("layerNorm standardises each group, also in place and around a large mean") {
  std::mt19937 random(42);
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const size_t width : {1u, 5u, 16u, 75u}) {
        for (const float mean : {0.0f, 1000.0f}) {
          const RandomWeight weight(random, dtype, 1, 3 * width), bias(random, dtype, 1, width);
          RandomMatrix x(random, 2, 3 * width);
          for (float& value : x.storage) value += mean;
          RandomMatrix out = copyOf(x);
          kernels->layerNorm({out.matrix, weight.weight, bias.weight, width, 1e-2f, out.matrix}, 0, 6);
          CAPTURE(kernels->name);
          CAPTURE(width);
          CHECK(deviation(out, [&](size_t r, size_t c) {
                  const size_t group = c / width * width;
                  double sum = 0, squares = 0;
                  for (size_t i = group; i < group + width; i++) sum += x.at(r, i);
                  const double centre = sum / static_cast<double>(width);
                  for (size_t i = group; i < group + width; i++) squares += std::pow(x.at(r, i) - centre, 2);
                  return (x.at(r, c) - centre) / std::sqrt(squares / static_cast<double>(width) + 1e-2) *
                             weight.values[c] +
                         bias.values[c - group];
                }) < (mean == 0 ? 4e-6 : 4e-3));  // 1000 · 2⁻²⁴ of a mean, over a deviation of 0.1 at least
          CHECK(strayWrites(x, out) == 0);
        }
      }
    }
  }
}

TEST_CASE("a norm without a weight multiplies by one") {
  std::mt19937 random(43);
  for (const Kernels* kernels : everyKernels()) {
    const RandomMatrix x(random, 2, 21);
    RandomMatrix out = copyOf(x);
    kernels->rmsNorm({x.matrix, kAbsent, 7, 0, 0, out.matrix}, 0, 6);
    CHECK(deviation(out, [&](size_t r, size_t c) {
            double squares = 0;
            for (size_t i = c / 7 * 7; i < c / 7 * 7 + 7; i++) squares += std::pow(x.at(r, i), 2);
            return x.at(r, c) / std::sqrt(squares / 7);
          }) < 1e-6);
  }
}

TEST_CASE("ungroup packs the same columns of every group") {
  std::mt19937 random(44);
  for (const Kernels* kernels : everyKernels()) {
    const RandomMatrix x(random, 3, 4 * 7), before(random, 3, 4 * 2);
    RandomMatrix out = copyOf(before);
    kernels->ungroup({x.matrix, 7, 3, 2, out.matrix}, 0, 3);
    CHECK(deviation(out, [&](size_t r, size_t c) { return x.at(r, c / 2 * 7 + 3 + c % 2); }) == 0);
    CHECK(strayWrites(before, out) == 0);
  }
}
