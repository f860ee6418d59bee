#include <doctest/doctest.h>

#include <algorithm>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

struct Sequence {
  size_t past, rows;
  std::vector<int32_t> blocks;
};

/** A cache, a batch over it, and the op. Keys and values of the past are random. */
struct Setup {
  size_t heads, kvHeads, headDim, blocks;
  std::vector<Sequence> sequences;
  std::vector<RowPlace> places;
  std::vector<float> keys, values;
  RandomMatrix q, k, v, out;

  Setup(std::mt19937& random, size_t heads, size_t kvHeads, size_t headDim, size_t blocks,
        const std::vector<Sequence>& sequences)
      : heads(heads),
        kvHeads(kvHeads),
        headDim(headDim),
        blocks(blocks),
        sequences(sequences),
        keys(blocks * kvHeads * kKvBlockTokens * headDim),
        values(keys.size()),
        q(random, rows(sequences), heads * headDim),
        k(random, rows(sequences), kvHeads * headDim),
        v(random, rows(sequences), kvHeads * headDim),
        out(random, rows(sequences), heads * headDim) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& value : keys) value = uniform(random);
    for (float& value : values) value = uniform(random);
    for (const Sequence& sequence : this->sequences) {
      for (size_t t = 0; t < sequence.rows; t++)
        places.push_back({sequence.past + t, sequence.blocks.data()});
    }
  }

  static size_t rows(const std::vector<Sequence>& sequences) {
    size_t total = 0;
    for (const Sequence& sequence : sequences) total += sequence.rows;
    return total;
  }

  AttentionOp op(size_t window) {
    return {q.matrix, k.matrix, v.matrix, out.matrix, keys.data(), values.data(),
            heads,    kvHeads,  headDim,  0.3f,       window,      places.data()};
  }

  size_t cacheIndex(const RowPlace& place, size_t token, size_t kvHead) const {
    const size_t block = static_cast<size_t>(place.blocks[token / kKvBlockTokens]);
    return ((block * kvHeads + kvHead) * kKvBlockTokens + token % kKvBlockTokens) * headDim;
  }

  /** softmax(scale · q·kᵀ) · v of one row and head in double, over the cache as it is now. */
  std::vector<double> expected(size_t row, size_t head, size_t window) const {
    const RowPlace& place = places[row];
    const size_t kvHead = head / (heads / kvHeads);
    const size_t first = place.position + 1 > window ? place.position + 1 - window : 0;
    std::vector<double> scores;
    for (size_t token = first; token <= place.position; token++) {
      double score = 0;
      for (size_t c = 0; c < headDim; c++) {
        score +=
            static_cast<double>(q.at(row, head * headDim + c)) * keys[cacheIndex(place, token, kvHead) + c];
      }
      scores.push_back(score * 0.3f);
    }
    const double maximum = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    std::vector<double> result(headDim);
    for (size_t i = 0; i < scores.size(); i++) {
      const double weight = std::exp(scores[i] - maximum);
      total += weight;
      for (size_t c = 0; c < headDim; c++)
        result[c] += weight * values[cacheIndex(place, first + i, kvHead) + c];
    }
    for (double& value : result) value /= total;
    return result;
  }
};

constexpr size_t kNoWindow = static_cast<size_t>(-1);

}  // namespace

TEST_CASE("attention agrees with double softmax over ragged sequences, grouped heads and windows") {
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t window : {kNoWindow, size_t{1}, size_t{7}, size_t{16}, size_t{21}}) {
      for (const size_t headDim : {4u, 13u, 64u}) {
        CAPTURE(kernels->name);
        CAPTURE(window);
        CAPTURE(headDim);
        std::mt19937 random(4);
        Setup setup(random, 6, 2, headDim, 9, {{0, 5, {3}}, {37, 1, {7, 1, 0}}, {15, 19, {2, 8, 5}}});
        const AttentionOp op = setup.op(window);
        kernels->appendKeysValues(op, 0, 2);
        const size_t rows = setup.places.size();
        kernels->attend(op, 0, 2 * rows);
        double worst = 0;
        for (size_t row = 0; row < rows; row++) {
          for (size_t head = 0; head < setup.heads; head++) {
            const std::vector<double> expected = setup.expected(row, head, window);
            for (size_t c = 0; c < headDim; c++) {
              worst = std::max(worst, std::fabs(setup.out.at(row, head * headDim + c) - expected[c]));
            }
          }
        }
        CHECK(worst < 2e-6);
      }
    }
  }
}

TEST_CASE("appended keys and values lie in their block, head and slot") {
  for (const Kernels* kernels : everyKernels()) {
    std::mt19937 random(5);
    Setup setup(random, 2, 2, 3, 4, {{14, 4, {2, 0}}});
    const std::vector<float> before = setup.keys;
    kernels->appendKeysValues(setup.op(kNoWindow), 0, 2);
    size_t changed = 0;
    for (size_t i = 0; i < before.size(); i++) changed += setup.keys[i] != before[i];
    CHECK(changed == 4 * 2 * 3);
    // Position 16 is slot 0 of the second block of the sequence, which is block 0: ((0 · 2 + 1) · 16 + 0)
    // · 3.
    CHECK(setup.keys[48] == setup.k.at(2, 3));
    CHECK(setup.values[48] == setup.v.at(2, 3));
  }
}

TEST_CASE("a row of attention has the same bits in prefill and token by token") {
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t window : {kNoWindow, size_t{11}}) {
      std::mt19937 random(6);
      Setup whole(random, 40, 2, 24, 4, {{3, 50, {1, 3, 0, 2}}});
      Setup single = whole;
      for (RandomMatrix* m : {&single.q, &single.k, &single.v, &single.out})
        m->matrix.data = m->storage.data() + 1;
      for (RowPlace& place : single.places) place.blocks = single.sequences[0].blocks.data();
      const AttentionOp all = whole.op(window);
      kernels->appendKeysValues(all, 0, 2);
      kernels->attend(all, 0, 100);
      const auto row = [](const Matrix& m, size_t r) {
        return Matrix{m.data + r * m.stride, 1, m.cols, m.stride};
      };
      for (size_t r = 0; r < 50; r++) {
        AttentionOp one = single.op(window);
        one.q = row(one.q, r);
        one.k = row(one.k, r);
        one.v = row(one.v, r);
        one.out = row(one.out, r);
        one.places += r;
        kernels->appendKeysValues(one, 0, 2);
        kernels->attend(one, 0, 1);
        kernels->attend(one, 1, 2);
      }
      CAPTURE(kernels->name);
      size_t different = 0;
      for (size_t r = 0; r < 50; r++) {
        for (size_t c = 0; c < 40 * 24; c++) different += whole.out.at(r, c) != single.out.at(r, c);
      }
      CHECK(different == 0);
    }
  }
}
