#include <doctest/doctest.h>

#include <algorithm>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

size_t unitsOf(size_t cols) { return (cols + kTransposedColumns - 1) / kTransposedColumns; }

struct Case {
  size_t rows, depth, cols;
};

}  // namespace

TEST_CASE("linearTransposed agrees with double sums for every dtype, tail and stride") {
  std::mt19937 random(31);
  std::vector<float> scratch(kScratchFloats);
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const Case& c : {Case{1, 1, 1}, Case{1, 33, 100}, Case{3, 8, 64}, Case{5, 17, 77},
                            Case{37, 100, 130}, Case{1, 9, 1100}, Case{131, 140, 70}}) {
        for (const bool accumulate : {false, true}) {
          const RandomWeight weight(random, dtype, c.depth, c.cols), bias(random, dtype, 1, c.cols);
          const RandomMatrix x(random, c.rows, c.depth), before(random, c.rows, c.cols);
          RandomMatrix out = copyOf(before);
          kernels->linearTransposed(
              {x.matrix, weight.weight, accumulate ? kAbsent : bias.weight, out.matrix, accumulate}, 0,
              unitsOf(c.cols), scratch.data());
          double worst = 0;
          for (size_t t = 0; t < c.rows; t++) {
            for (size_t n = 0; n < c.cols; n++) {
              double expected = accumulate ? before.at(t, n) : bias.values[n],
                     magnitude = std::fabs(expected);
              for (size_t k = 0; k < c.depth; k++) {
                const double term = x.at(t, k) * weight.values[k * c.cols + n];
                expected += term;
                magnitude += std::fabs(term);
              }
              worst = std::max(worst, std::fabs(out.at(t, n) - expected) / magnitude);
            }
          }
          CAPTURE(kernels->name);
          CAPTURE(static_cast<int>(dtype));
          CAPTURE(c.cols);
          // One chain: at most two roundings per term (the scalar set does not fuse).
          CHECK(worst <= static_cast<double>(2 * c.depth + 1) * 0x1p-24);
          CHECK(strayWrites(before, out) == 0);
        }
      }
    }
  }
}

TEST_CASE("linearTransposed has the same bits for every batch, every split of columns and every cut of k") {
  std::mt19937 random(32);
  std::vector<float> scratch(kScratchFloats);
  constexpr size_t kRows = 35, kDepth = 61, kCols = 300;
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      const RandomWeight weight(random, dtype, kDepth, kCols), bias(random, dtype, 1, kCols);
      const RandomMatrix x(random, kRows, kDepth);
      RandomMatrix whole(random, kRows, kCols), parts = copyOf(whole);
      kernels->linearTransposed({x.matrix, weight.weight, bias.weight, whole.matrix, false}, 0,
                                unitsOf(kCols), scratch.data());
      for (const size_t batch : {1u, 2u, 4u, 5u, 33u, 35u}) {
        for (const size_t cut : {1u, 7u, 8u, 61u}) {
          for (size_t k = 0; k < kDepth; k += cut) {
            const size_t depth = std::min(cut, kDepth - k);
            Weight block = weight.weight;
            block.data += k * kCols * bytesOf(dtype);
            block.rows = depth;
            block.scales.firstRow += k;
            for (size_t t = 0; t + batch <= kRows; t += batch) {
              const Matrix rows{x.matrix.data + t * x.matrix.stride + k, batch, depth, x.matrix.stride};
              const Matrix out{parts.matrix.data + t * parts.matrix.stride, batch, kCols,
                               parts.matrix.stride};
              const LinearTransposedOp op{rows, block, k == 0 ? bias.weight : kAbsent, out, k > 0};
              for (size_t unit = 0; unit < unitsOf(kCols); unit += 2) {
                kernels->linearTransposed(op, unit, std::min(unit + 2, unitsOf(kCols)), scratch.data());
              }
            }
          }
          size_t different = 0;
          for (size_t t = 0; t < kRows / batch * batch; t++) {
            for (size_t n = 0; n < kCols; n++) different += parts.at(t, n) != whole.at(t, n);
          }
          CAPTURE(kernels->name);
          CAPTURE(batch);
          CAPTURE(cut);
          CHECK(different == 0);
        }
      }
    }
  }
}
