// linear over eight-bit weights in tiles of whole numbers, on machines that have AMX: near the sums in
// float64, the same bits for every batch and split.

#include <doctest/doctest.h>

#include <limits>

#include "random_packed.h"

using namespace airllm;
using namespace airllm::test;

namespace {

/** Whole tiles of rows and some rows more; groups of one tile of columns, of several, the last one shorter.
 */
const PackedShape kShapes[] = {
    {DType::kInt8, 37, 320, 128},         {DType::kInt8, 16, 128, 64},
    {DType::kInt8, 9, 192, 4096},         {DType::kCode8, 37, 384, 256},
    {DType::kCode8, 9, 2048, 2048, 1024}, {DType::kCode8, 17, 256, 512, 128, true},
};

struct Sum {
  double value = 0;
  double error = 0;
};

/** One output in float64, and how far off it may be: see digit_rows.h, code8_tiles.h; the rest is float32. */
Sum expectedSum(const float* x, const float* weights, const Weight& weight, double largestFactor) {
  constexpr double u = 0x1p-24;
  double largestX = 0, magnitudes = 0, weightSum = 0, xSum = 0;
  Sum sum;
  for (size_t k = 0; k < weight.cols; k++) {
    const double product = static_cast<double>(x[k]) * static_cast<double>(weights[k]);
    sum.value += product;
    magnitudes += std::abs(product);
    weightSum += std::abs(static_cast<double>(weights[k]));
    xSum += std::abs(static_cast<double>(x[k]));
    largestX = std::max(largestX, std::abs(static_cast<double>(x[k])));
  }
  // A rounding per segment of at least 64 columns and a few around it; what digits cut off.
  const double roundings = 8 + static_cast<double>(weight.cols) / 64;
  sum.error = roundings * u * magnitudes + 0x1p-29 * largestX * weightSum;
  if (weight.dtype == DType::kCode8) sum.error += u * largestFactor * xSum;
  return sum;
}

template <typename Body>
void forEachShape(Body body) {
  const Kernels* kernels = kernelsFor("amx");
  if (kernels == nullptr) {
    MESSAGE("skipped: this machine has no AMX for integers");
    return;
  }
  std::mt19937 random(17);
  for (const PackedShape& shape : kShapes) {
    CAPTURE(static_cast<int>(shape.dtype));
    CAPTURE(shape.cols);
    CAPTURE(shape.block);
    const RandomPacked packed(random, shape, true);
    body(*kernels, packed.weight, random);
  }
}

}  // namespace

TEST_CASE("eight-bit weights in tiles give the sums of their values") {
  Scratch scratch;
  forEachShape([&](const Kernels& kernels, const Weight& weight, std::mt19937& random) {
    const std::vector<float> values = decoded(*kernelsFor("scalar"), weight);
    RandomMatrix x(random, 6, weight.cols);
    // One value far above the others, as activations have.
    x.matrix.data[5] = 1000;
    const RandomMatrix before(random, 6, weight.rows);
    RandomMatrix found = copyOf(before);
    kernels.linear({x.matrix, weight, kAbsent, found.matrix}, 0, weight.rows, scratch.data());
    CHECK(strayWrites(before, found) == 0);
    for (size_t t = 0; t < 6; t++) {
      for (size_t n = 0; n < weight.rows; n++) {
        const Sum expected =
            expectedSum(&x.matrix.data[t * x.matrix.stride], &values[n * weight.cols], weight, 1.5);
        CHECK(std::abs(static_cast<double>(found.at(t, n)) - expected.value) <= expected.error);
      }
    }
  });
}

TEST_CASE("eight-bit weights in tiles give the same bits for every batch and split") {
  Scratch scratch;
  forEachShape([&](const Kernels& kernels, const Weight& weight, std::mt19937& random) {
    const size_t n = weight.rows;
    const RandomMatrix x(random, 7, weight.cols);
    RandomMatrix together(random, 7, n, 0);
    kernels.linear({x.matrix, weight, kAbsent, together.matrix}, 0, n, scratch.data());
    for (size_t t = 0; t < 7; t++) {
      const Matrix row{x.matrix.data + t * x.matrix.stride, 1, weight.cols, weight.cols};
      for (const size_t split : {size_t{5}, size_t{16}, n}) {
        std::vector<float> alone(n);
        for (size_t begin = 0; begin < n; begin += split) {
          kernels.linear({row, weight, kAbsent, {alone.data(), 1, n, n}}, begin, std::min(begin + split, n),
                         scratch.data());
        }
        CHECK(std::memcmp(alone.data(), together.matrix.data + t * n, n * sizeof(float)) == 0);
      }
    }
  });
}

TEST_CASE("eight-bit weights in tiles add the bias, and take any row of x") {
  Scratch scratch;
  forEachShape([&](const Kernels& kernels, const Weight& weight, std::mt19937& random) {
    const size_t n = weight.rows;
    RandomMatrix x(random, 4, weight.cols);
    float* rows[4];
    for (size_t t = 0; t < 4; t++) rows[t] = x.matrix.data + t * x.matrix.stride;
    rows[0][weight.cols - 1] = std::numeric_limits<float>::infinity();
    rows[1][0] = std::numeric_limits<float>::quiet_NaN();
    for (size_t k = 0; k < weight.cols; k++) {
      rows[2][k] = 0;
      rows[3][k] *= 0x1p-120f;
    }
    const RandomWeight bias(random, DType::kF32, 1, n);
    RandomMatrix found(random, 4, n), others(random, 4, n);
    kernels.linear({x.matrix, weight, bias.weight, found.matrix}, 0, n, scratch.data());
    kernelsFor("avx512vbmi")->linear({x.matrix, weight, bias.weight, others.matrix}, 0, n, scratch.data());
    for (size_t r = 0; r < n; r++) {
      // Infinities and NaN go the way of the other set; zeros and tiny values leave the bias.
      for (size_t t = 0; t < 2; t++) {
        const float a = found.at(t, r), b = others.at(t, r);
        CHECK(std::memcmp(&a, &b, sizeof a) == 0);
      }
      CHECK(found.at(2, r) == static_cast<float>(bias.values[r]));
      CHECK(found.at(3, r) == doctest::Approx(bias.values[r]));
    }
  });
}
