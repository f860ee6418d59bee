#include <doctest/doctest.h>

#include <algorithm>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

/** What one attention is told besides its shape. */
struct Options {
  size_t window = kNone;
  size_t chunk = kNone;
  float softcap = INFINITY;
  std::vector<float> slopes{};
  std::vector<float> sinks{};
};

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

  AttentionOp op(const Options& options) {
    Weight sinks{nullptr, DType::kF32, 0, 0};
    if (!options.sinks.empty()) {
      sinks = {reinterpret_cast<const uint8_t*>(options.sinks.data()), DType::kF32, 1, heads};
    }
    const float* slopes = options.slopes.empty() ? nullptr : options.slopes.data();
    return {q.matrix,        k.matrix, v.matrix, out.matrix,   keys.data(),    values.data(),
            heads,           kvHeads,  headDim,  0.3f,         options.window, options.chunk,
            options.softcap, sinks,    slopes,   places.data()};
  }

  size_t cacheIndex(const RowPlace& place, size_t token, size_t kvHead) const {
    const size_t block = static_cast<size_t>(place.blocks[token / kKvBlockTokens]);
    return ((block * kvHeads + kvHead) * kKvBlockTokens + token % kKvBlockTokens) * headDim;
  }

  /** softmax(scale · q·kᵀ) · v of one row and head in double, over the cache as it is now. */
  std::vector<double> expected(size_t row, size_t head, const Options& options) const {
    const RowPlace& place = places[row];
    const size_t kvHead = head / (heads / kvHeads);
    const size_t chunkStart = place.position / options.chunk * options.chunk;
    size_t first = place.position >= options.window ? place.position + 1 - options.window : 0;
    first = std::max(first, chunkStart);
    std::vector<double> scores;
    for (size_t token = first; token <= place.position; token++) {
      double score = 0;
      for (size_t c = 0; c < headDim; c++) {
        score +=
            static_cast<double>(q.at(row, head * headDim + c)) * keys[cacheIndex(place, token, kvHead) + c];
      }
      score *= 0.3f;
      if (options.softcap < INFINITY) score = options.softcap * std::tanh(score / options.softcap);
      if (!options.slopes.empty()) {
        score -= options.slopes[head] * static_cast<double>(place.position - token);
      }
      scores.push_back(score);
    }
    const double maximum = *std::max_element(scores.begin(), scores.end());
    double total = options.sinks.empty() ? 0 : std::exp(options.sinks[head] - maximum);
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

}  // namespace

TEST_CASE("attention agrees with double softmax over ragged sequences, grouped heads and every option") {
  std::vector<Options> options;
  for (const size_t span : {kNone, size_t{1}, size_t{7}, size_t{16}, size_t{21}}) {
    options.push_back({.window = span});
    options.push_back({.chunk = span});
  }
  options.push_back({.window = 9, .chunk = 20});
  options.push_back({.softcap = 0.5f});
  options.push_back({.slopes = {0.5f, 0.25f, 0.125f, 1, 0, 0.01f}});
  options.push_back({.sinks = {0, -3, 4, 30, 1, -200}});
  options.push_back(
      {.window = 12, .softcap = 2, .slopes = {1, 0, 0.5f, 2, 0.1f, 0.2f}, .sinks = {1, 2, 3, -1, -2, 0}});
  for (const Kernels* kernels : everyKernels()) {
    for (size_t i = 0; i < options.size(); i++) {
      for (const size_t headDim : {4u, 13u, 64u}) {
        CAPTURE(kernels->name);
        CAPTURE(i);
        CAPTURE(headDim);
        std::mt19937 random(4);
        Setup setup(random, 6, 2, headDim, 9, {{0, 5, {3}}, {37, 1, {7, 1, 0}}, {15, 19, {2, 8, 5}}});
        const AttentionOp op = setup.op(options[i]);
        kernels->appendKeysValues(op, 0, 2);
        const size_t rows = setup.places.size();
        kernels->attend(op, 0, 2 * rows);
        double worst = 0;
        for (size_t row = 0; row < rows; row++) {
          for (size_t head = 0; head < setup.heads; head++) {
            const std::vector<double> expected = setup.expected(row, head, options[i]);
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
    kernels->appendKeysValues(setup.op({}), 0, 2);
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
    std::vector<float> many(40, 0.1f);
    for (const Options& options : {Options{}, Options{.window = 11}, Options{.chunk = 14},
                                   Options{.softcap = 3, .slopes = many, .sinks = many}}) {
      std::mt19937 random(6);
      Setup whole(random, 40, 2, 24, 4, {{3, 50, {1, 3, 0, 2}}});
      Setup single = whole;
      for (RandomMatrix* m : {&single.q, &single.k, &single.v, &single.out})
        m->matrix.data = m->storage.data() + 1;
      for (RowPlace& place : single.places) place.blocks = single.sequences[0].blocks.data();
      const AttentionOp all = whole.op(options);
      kernels->appendKeysValues(all, 0, 2);
      kernels->attend(all, 0, 100);
      const auto row = [](const Matrix& m, size_t r) {
        return Matrix{m.data + r * m.stride, 1, m.cols, m.stride};
      };
      for (size_t r = 0; r < 50; r++) {
        AttentionOp one = single.op(options);
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
