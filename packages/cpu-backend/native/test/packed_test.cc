// Packed formats on every instruction set: the same values, the same sums whatever shares the pass, and no
// byte read past the ends of their memory. What the values are is in formats_test.cc and, against the
// reference backend, in the conformance suite.

#include <doctest/doctest.h>

#include "random_packed.h"

using namespace airllm;
using namespace airllm::test;

namespace {

/** Whole steps, steps and a rest, and blocks that no step lies within. */
const PackedShape kShapes[] = {
    {DType::kQ8, 9, 96},
    {DType::kQ4, 9, 160},
    {DType::kQ4K, 9, 512},
    {DType::kQ6K, 9, 512},
    {DType::kMxFp4, 9, 96},
    {DType::kCode4, 9, 192, 64, 0},
    {DType::kCode4, 9, 192, 64, 64, true},
    {DType::kCode4, 9, 256, 128, 64, true},
    {DType::kCode4, 9, 67, 64, 13},
    {DType::kCode4, 9, 128, 96, 0},
    {DType::kCode4, 9, 64, 32, 5},
    {DType::kCode8, 9, 256, 2048, 1984},
    {DType::kCode8, 9, 320, 64, 0, true},
    {DType::kCode8, 9, 67, 2048, 2000},
    {DType::kInt8, 9, 200, 128},
    {DType::kInt8, 9, 70, 24},
    {DType::kInt4, 9, 200, 64},
    {DType::kInt4, 9, 70, 31},
    {DType::kBf16z, 9, 192},
    {DType::kBf16z, 9, 1100},
    {DType::kBf16z, 9, 5},
    {DType::kGptq, 16, 72},
    {DType::kAwq, 9, 72},
};

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <typename Body>
void forEachWeight(Body body) {
  std::mt19937 random(31);
  for (const PackedShape& shape : kShapes) {
    for (const bool mirrored : {true, false}) {
      CAPTURE(static_cast<int>(shape.dtype));
      CAPTURE(shape.cols);
      CAPTURE(shape.block);
      CAPTURE(mirrored);
      const RandomPacked packed(random, shape, mirrored);
      body(packed.weight, random);
    }
  }
}

}  // namespace

TEST_CASE("packed weights have the same values on every instruction set") {
  forEachWeight([](const Weight& weight, std::mt19937&) {
    const std::vector<float> expected = decoded(*kernelsFor("scalar"), weight);
    for (const Kernels* kernels : everyKernels()) {
      CAPTURE(kernels->name);
      CHECK(sameBits(decoded(*kernels, weight), expected));
    }
  });
}

TEST_CASE("linear over a packed weight sums its values, the same bits for every batch and split") {
  Scratch scratch;
  forEachWeight([&](const Weight& weight, std::mt19937& random) {
    const size_t n = weight.rows;
    const RandomMatrix x(random, 18, weight.cols);
    for (const Kernels* kernels : everyKernels()) {
      CAPTURE(kernels->name);
      const std::vector<float> values = decoded(*kernels, weight);
      const Weight floats{reinterpret_cast<const uint8_t*>(values.data()), DType::kF32, n, weight.cols};
      RandomMatrix expected(random, 18, n, 0), found(random, 18, n, 0);
      kernels->linear({x.matrix, floats, kAbsent, expected.matrix}, 0, n, scratch.data());
      kernels->linear({x.matrix, weight, kAbsent, found.matrix}, 0, n, scratch.data());
      CHECK(std::memcmp(found.matrix.data, expected.matrix.data, 18 * n * sizeof(float)) == 0);
      for (size_t t = 0; t < 3; t++) {
        std::vector<float> alone(n);
        const Matrix row{x.matrix.data + t * x.matrix.stride, 1, weight.cols, weight.cols};
        for (const size_t split : {size_t{3}, n}) {
          for (size_t begin = 0; begin < n; begin += split) {
            kernels->linear({row, weight, kAbsent, {alone.data(), 1, n, n}}, begin,
                            std::min(begin + split, n), scratch.data());
          }
          CHECK(std::memcmp(alone.data(), expected.matrix.data + t * n, n * sizeof(float)) == 0);
        }
      }
    }
  });
}

TEST_CASE("linearTransposed over a packed weight sums its values") {
  Scratch scratch;
  forEachWeight([&](const Weight& weight, std::mt19937& random) {
    const RandomMatrix x(random, 3, weight.rows);
    const size_t units = (weight.cols + kTransposedColumns - 1) / kTransposedColumns;
    for (const Kernels* kernels : everyKernels()) {
      CAPTURE(kernels->name);
      const std::vector<float> values = decoded(*kernels, weight);
      const Weight floats{reinterpret_cast<const uint8_t*>(values.data()), DType::kF32, weight.rows,
                          weight.cols};
      RandomMatrix expected(random, 3, weight.cols, 0), found(random, 3, weight.cols, 0);
      kernels->linearTransposed({x.matrix, floats, kAbsent, expected.matrix, false}, 0, units,
                                scratch.data());
      for (size_t unit = 0; unit < units; unit++) {
        kernels->linearTransposed({x.matrix, weight, kAbsent, found.matrix, false}, unit, unit + 1,
                                  scratch.data());
      }
      CHECK(std::memcmp(found.matrix.data, expected.matrix.data, 3 * weight.cols * sizeof(float)) == 0);
    }
  });
}
