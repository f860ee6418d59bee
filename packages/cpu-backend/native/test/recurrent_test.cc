#include <doctest/doctest.h>

#include <algorithm>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

struct Scratch {
  std::vector<float> storage = std::vector<float>(kScratchFloats);
};

/** Slot 2 of 3, `floats` values of layer memory per slot, full of a former tenant's values. */
struct Slots {
  std::vector<float> storage;
  size_t stride;

  explicit Slots(size_t floats) : storage(3 * floats, 7.5f), stride(floats) {}
  RecurrentMemory of(const std::vector<SequenceRun>& runs) {
    return {storage.data(), stride, runs.data(), runs.size()};
  }
};

Matrix rowsOf(const RandomMatrix& m, size_t first, size_t count) {
  return {m.matrix.data + first * m.matrix.stride, count, m.matrix.cols, m.matrix.stride};
}

/** 31 rows as passes. */
const std::vector<std::vector<size_t>> kPasses = {{31}, {1, 2, 20, 8}, std::vector<size_t>(31, 1)};

}  // namespace

TEST_CASE("shortConv agrees with double sums in every cut of the rows, with the same bits") {
  std::mt19937 random(51);
  Scratch scratch;
  for (const Kernels* kernels : everyKernels()) {
    for (const DType dtype : kDTypes) {
      for (const size_t width : {1u, 2u, 4u, 7u}) {
        const size_t channels = 83;
        const RandomWeight weight(random, dtype, channels, width), bias(random, dtype, 1, channels);
        const RandomMatrix x(random, 31, channels);
        std::vector<RandomMatrix> outputs;
        for (const std::vector<size_t>& passes : kPasses) {
          RandomMatrix out(random, 31, channels);
          const RandomMatrix before = copyOf(out);
          Slots slots((width - 1) * channels + 5);
          size_t past = 0;
          for (const size_t rows : passes) {
            const std::vector<SequenceRun> runs{{0, rows, past, 2}};
            const ShortConvOp op{rowsOf(x, past, rows), weight.weight, bias.weight, rowsOf(out, past, rows),
                                 slots.of(runs)};
            kernels->shortConv(op, 0, 1, scratch.storage.data());
            kernels->shortConv(op, 1, 2, scratch.storage.data());
            past += rows;
          }
          CHECK(strayWrites(before, out) == 0);
          CHECK(std::count(slots.storage.begin(), slots.storage.end(), 7.5f) >=
                static_cast<long>(2 * slots.stride + 5));
          outputs.push_back(std::move(out));
          outputs.back().matrix.data = outputs.back().storage.data() + 1;
        }
        double worst = 0;
        size_t different = 0;
        for (size_t t = 0; t < 31; t++) {
          for (size_t c = 0; c < channels; c++) {
            double sum = bias.values[c];
            for (size_t i = 0; i < width; i++) {
              if (t + i + 1 >= width) sum += weight.values[c * width + i] * x.at(t + i + 1 - width, c);
            }
            worst = std::max(worst, std::fabs(outputs[0].at(t, c) - sum / (1 + std::exp(-sum))));
            for (const RandomMatrix& out : outputs) different += out.at(t, c) != outputs[0].at(t, c);
          }
        }
        CAPTURE(kernels->name);
        CAPTURE(width);
        CHECK(worst < 8e-6);  // sums below 2 · 2 · 8 = 32 in magnitude, a few roundings of 2⁻²⁴ each
        CHECK(different == 0);
      }
    }
  }
}

TEST_CASE("gatedDelta agrees with the rule in double in every cut of the rows, with the same bits") {
  std::mt19937 random(52);
  Scratch scratch;
  for (const Kernels* kernels : everyKernels()) {
    for (const size_t valueDim : {1u, 7u, 16u, 90u}) {
      const size_t keyHeads = 2, valueHeads = 4, keyDim = 11;
      const RandomWeight aLog(random, DType::kF32, 1, valueHeads),
          dtBias(random, DType::kBF16, 1, valueHeads);
      const RandomMatrix q(random, 31, keyHeads * keyDim), k(random, 31, keyHeads * keyDim);
      const RandomMatrix v(random, 31, valueHeads * valueDim), a(random, 31, valueHeads),
          b(random, 31, valueHeads);
      std::vector<RandomMatrix> outputs;
      for (const std::vector<size_t>& passes : kPasses) {
        RandomMatrix out(random, 31, valueHeads * valueDim);
        const RandomMatrix before = copyOf(out);
        Slots slots(valueHeads * keyDim * valueDim);
        size_t past = 0;
        for (const size_t rows : passes) {
          const std::vector<SequenceRun> runs{{0, rows, past, 2}};
          GatedDeltaOp op{};
          op.q = rowsOf(q, past, rows);
          op.k = rowsOf(k, past, rows);
          op.v = rowsOf(v, past, rows);
          op.a = rowsOf(a, past, rows);
          op.b = rowsOf(b, past, rows);
          op.aLog = aLog.weight;
          op.dtBias = dtBias.weight;
          op.out = rowsOf(out, past, rows);
          op.keyHeads = keyHeads;
          op.valueHeads = valueHeads;
          op.keyDim = keyDim;
          op.valueDim = valueDim;
          op.state = slots.of(runs);
          for (size_t head = 0; head < valueHeads; head++) {
            kernels->gatedDelta(op, head, head + 1, scratch.storage.data());
          }
          past += rows;
        }
        CHECK(strayWrites(before, out) == 0);
        CHECK(std::count(slots.storage.begin(), slots.storage.end(), 7.5f) ==
              static_cast<long>(2 * slots.stride));
        outputs.push_back(std::move(out));
        outputs.back().matrix.data = outputs.back().storage.data() + 1;
      }
      double worst = 0;
      size_t different = 0;
      for (size_t h = 0; h < valueHeads; h++) {
        std::vector<double> state(keyDim * valueDim);
        for (size_t t = 0; t < 31; t++) {
          std::vector<double> query(keyDim), key(keyDim);
          double qq = 1e-6, kk = 1e-6;
          for (size_t i = 0; i < keyDim; i++) {
            query[i] = q.at(t, h / 2 * keyDim + i);
            key[i] = k.at(t, h / 2 * keyDim + i);
            qq += query[i] * query[i];
            kk += key[i] * key[i];
          }
          const double softplus = std::log1p(std::exp(a.at(t, h) + dtBias.values[h]));
          const double decay = std::exp(-std::exp(aLog.values[h]) * softplus);
          const double rate = 1 / (1 + std::exp(-b.at(t, h)));
          for (double& value : state) value *= decay;
          for (size_t d = 0; d < valueDim; d++) {
            double predicted = 0, sum = 0;
            for (size_t i = 0; i < keyDim; i++) predicted += key[i] / std::sqrt(kk) * state[i * valueDim + d];
            const double change = rate * (v.at(t, h * valueDim + d) - predicted);
            for (size_t i = 0; i < keyDim; i++) {
              state[i * valueDim + d] += key[i] / std::sqrt(kk) * change;
              sum += query[i] / std::sqrt(qq) / std::sqrt(keyDim) * state[i * valueDim + d];
            }
            worst = std::max(worst, std::fabs(outputs[0].at(t, h * valueDim + d) - sum));
            for (const RandomMatrix& out : outputs) {
              different += out.at(t, h * valueDim + d) != outputs[0].at(t, h * valueDim + d);
            }
          }
        }
      }
      CAPTURE(kernels->name);
      CAPTURE(valueDim);
      CHECK(worst < 2e-6);
      CHECK(different == 0);
    }
  }
}
