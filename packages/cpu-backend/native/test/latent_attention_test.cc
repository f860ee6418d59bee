#include <doctest/doctest.h>

#include <algorithm>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

constexpr size_t kHeads = 5, kRank = 21, kNope = 9, kRope = 6, kValue = 10;
constexpr size_t kDim = kRank + kRope, kBlocks = 5;

/** Two sequences: rows at positions 0 … 4 in block 3, and at 14 … 32 in blocks 4, 0, 1. */
struct Setup {
  std::vector<int32_t> first{3}, second{4, 0, 1};
  std::vector<RowPlace> places;
  std::vector<float> latents = std::vector<float>(kBlocks * kKvBlockTokens * kDim);
  RandomWeight kvB;
  RandomMatrix q, latent, out;

  Setup(std::mt19937& random, DType dtype)
      : kvB(random, dtype, kHeads * (kNope + kValue), kRank),
        q(random, 24, kHeads * (kNope + kRope)),
        latent(random, 24, kDim),
        out(random, 24, kHeads * kValue) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& value : latents) value = uniform(random);
    for (size_t t = 0; t < 5; t++) places.push_back({t, first.data()});
    for (size_t t = 14; t < 33; t++) places.push_back({t, second.data()});
  }

  LatentAttentionOp op(size_t row, size_t rows) {
    const auto part = [&](const Matrix& m) {
      return Matrix{m.data + row * m.stride, rows, m.cols, m.stride};
    };
    return {part(q.matrix), part(latent.matrix),
            kvB.weight,     part(out.matrix),
            latents.data(), kHeads,
            kRank,          kNope,
            kRope,          kValue,
            0.25f,          places.data() + row};
  }

  const float* cached(const RowPlace& place, size_t token) const {
    const size_t block = static_cast<size_t>(place.blocks[token / kKvBlockTokens]);
    return latents.data() + (block * kKvBlockTokens + token % kKvBlockTokens) * kDim;
  }

  /** By expanding every latent to a key and a value, in double. */
  std::vector<double> expected(size_t row, size_t head) const {
    const RowPlace& place = places[row];
    const double* weight = kvB.values.data() + head * (kNope + kValue) * kRank;
    const auto expand = [&](size_t n, const float* c) {
      double sum = 0;
      for (size_t r = 0; r < kRank; r++) sum += weight[n * kRank + r] * c[r];
      return sum;
    };
    std::vector<double> result(kValue), scores;
    for (size_t token = 0; token <= place.position; token++) {
      const float* c = cached(place, token);
      double score = 0;
      for (size_t d = 0; d < kNope; d++) score += q.at(row, head * (kNope + kRope) + d) * expand(d, c);
      for (size_t d = 0; d < kRope; d++)
        score += q.at(row, head * (kNope + kRope) + kNope + d) * c[kRank + d];
      scores.push_back(0.25 * score);
    }
    const double maximum = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (size_t token = 0; token < scores.size(); token++) {
      const double share = std::exp(scores[token] - maximum);
      total += share;
      for (size_t d = 0; d < kValue; d++) result[d] += share * expand(kNope + d, cached(place, token));
    }
    for (double& value : result) value /= total;
    return result;
  }
};

}  // namespace

TEST_CASE("latentAttention agrees with expanded keys and values in double") {
  std::vector<float> scratch(kScratchFloats);
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      std::mt19937 random(61);
      Setup setup(random, dtype);
      const RandomMatrix before = copyOf(setup.out);
      const LatentAttentionOp op = setup.op(0, 24);
      kernels->appendLatents(op, 0, 10);
      kernels->appendLatents(op, 10, 24);
      kernels->attendLatent(op, 2, 0, 3 * 24, scratch.data());
      double worst = 0;
      for (size_t row = 0; row < 24; row++) {
        for (size_t head = 0; head < kHeads; head++) {
          const std::vector<double> expected = setup.expected(row, head);
          for (size_t d = 0; d < kValue; d++) {
            worst = std::max(worst, std::fabs(setup.out.at(row, head * kValue + d) - expected[d]));
          }
        }
      }
      CAPTURE(kernels->name);
      CAPTURE(static_cast<int>(dtype));
      CHECK(worst < 2e-5);  // scores up to about 10, values up to about 5
      CHECK(strayWrites(before, setup.out) == 0);
    }
  }
}

TEST_CASE("a row of latentAttention has the same bits alone, in a batch, and with any heads together") {
  std::vector<float> scratch(kScratchFloats);
  for (const Kernels* kernels : everyKernels()) {
    std::mt19937 random(62);
    Setup setup(random, DType::kBF16);
    const LatentAttentionOp op = setup.op(0, 24);
    kernels->appendLatents(op, 0, 24);
    kernels->attendLatent(op, 1, 0, kHeads * 24, scratch.data());
    const RandomMatrix whole = copyOf(setup.out);
    for (const size_t together : {1u, 2u, 8u}) {
      for (const size_t rows : {1u, 3u, 24u}) {
        std::fill_n(setup.out.storage.begin(), setup.out.storage.size(), 0.0f);
        const size_t groups = (kHeads + together - 1) / together;
        for (size_t row = 0; row < 24; row += rows) {
          kernels->attendLatent(setup.op(row, rows), together, 0, groups * rows, scratch.data());
        }
        size_t different = 0;
        for (size_t row = 0; row < 24; row++) {
          for (size_t c = 0; c < kHeads * kValue; c++) different += setup.out.at(row, c) != whole.at(row, c);
        }
        CAPTURE(kernels->name);
        CAPTURE(together);
        CAPTURE(rows);
        CHECK(different == 0);
      }
    }
  }
}
