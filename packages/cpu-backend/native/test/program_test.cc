// Words that name memory outside their operands must be refused, whatever they are.

#include "program.h"

#include <doctest/doctest.h>

#include <random>

#include "cpu_features.h"
#include "executor.h"

using namespace airllm;

namespace {

/** Arena 1: 64 elements. Weights 2: 64 bytes. KV cache 3: one layer of 2 blocks, 1 head of 2. */
struct Memory {
  std::shared_ptr<Pages> arena = Pages::map(64 * 4, false);
  std::shared_ptr<Pages> weights = Pages::map(64, false);
  std::shared_ptr<Pages> kv = Pages::map(2 * 2 * 16 * 2 * 4, false);

  FindPages find() const {
    return [this](uint64_t id) { return id == 1 ? arena : id == 2 ? weights : id == 3 ? kv : nullptr; };
  }
  std::unique_ptr<Program> decode(const std::vector<double>& words) const {
    return decodeProgram(words.data(), words.size(), find());
  }
};

/** x [2, 8], weight [4, 8] bf16, out [2, 4]. */
const std::vector<double> kLinear = {1, 0, 0, 0, 3, 0, 2, 8, 8, 2, 0, 2, 4, 8, 0, 16, 2, 4, 4};
/** One sequence of one row at position 20 in blocks 1, 0; one head of 2. */
const std::vector<double> kAttention = {1, 3, 1, 1, 0, 1, 20, 2, 1, 0, 5, 0, 64, 2, 0, 1, 2, 2,
                                        2, 1, 2, 2, 4, 1, 2,  2, 6, 1, 2, 2, 1,  1, 2, 1, 0};
const std::vector<double> kGather = {1, 0, 0, 0, 9, 0, 2, 4, 4, 8, 2, 4, 4, 1, 0};
const std::vector<double> kScatter = {1, 0, 0, 0, 10, 0, 2, 4, 4, 8, 2, 4, 4, 1, 0, 0.5, 2};
const std::vector<double> kEmbedding = {1, 0, 0, 0, 1, 2, 0, 1, 4, 8, 0, 2, 8, 8, 3, 0};
const std::vector<double> kNorm = {1, 0, 0, 0, 2, 0, 2, 8, 8, 2, 0, 0, 1, 4, 1e-5, 16, 2, 8, 8};
const std::vector<double> kRope = {1, 0, 0, 0, 4, 0, 2, 8, 8, 16, 2, 2, 2, 20, 2, 2, 2, 4, 4, 0};
const std::vector<double> kGlu = {1, 0, 0, 0, 6, 0, 2, 8, 8, 16, 2, 8, 8, 0, 0, 2, 8, 8};

}  // namespace

TEST_CASE("well-formed submissions decode to their op") {
  const Memory memory;
  CHECK(memory.decode(kLinear)->ops[0].index() == 2);
  CHECK(memory.decode(kAttention)->ops[0].index() == 4);
  CHECK(memory.decode(kGather)->ops[0].index() == 8);
  CHECK(memory.decode(kScatter)->ops[0].index() == 9);
  CHECK(memory.decode(kEmbedding)->ops[0].index() == 0);
  CHECK(memory.decode(kNorm)->ops[0].index() == 1);
  CHECK(memory.decode(kRope)->ops[0].index() == 3);
  CHECK(memory.decode(kGlu)->ops[0].index() == 5);
}

TEST_CASE("operands outside their memory are refused") {
  const Memory memory;
  const auto changed = [](std::vector<double> words, size_t at, double value) {
    words[at] = value;
    return words;
  };
  CHECK_THROWS_AS(memory.decode({}), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 0, 9)), InvalidOperand);    // no such memory
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 5, 49)), InvalidOperand);   // x ends at 65 of 64 elements
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 10, 1)), InvalidOperand);   // weight ends at 65 of 64 bytes
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 11, 0)), InvalidOperand);   // f32 needs 128 bytes
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 8, 4)), InvalidOperand);    // rows overlap
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, 0.5)), InvalidOperand);  // not an integer
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, -1)), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, NAN)), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 4, 11)), InvalidOperand);      // no such op
  CHECK_THROWS_AS(memory.decode(changed(kAttention, 8, 2)), InvalidOperand);    // block 2 of 2
  CHECK_THROWS_AS(memory.decode(changed(kAttention, 6, 32)), InvalidOperand);   // position past its blocks
  CHECK_THROWS_AS(memory.decode(changed(kAttention, 12, 65)), InvalidOperand);  // values past the cache
  CHECK_THROWS_AS(memory.decode(changed(kAttention, 1, 0)), InvalidOperand);    // no cache
  CHECK_THROWS_AS(memory.decode(changed(kGather, 13, 2)), InvalidOperand);      // row 2 of 2
  CHECK_THROWS_AS(memory.decode(changed(kEmbedding, 14, 4)), InvalidOperand);   // id 4 of 4
}

TEST_CASE("random words never reach outside memory") {
  const Memory memory;
  Executor executor(*kernelsFor("auto"), 2);
  const std::atomic<bool> stop{false};
  std::mt19937 random(12);
  const double interesting[] = {0,
                                1,
                                2,
                                3,
                                4,
                                8,
                                15,
                                16,
                                63,
                                64,
                                65,
                                255,
                                4294967296.0,
                                9007199254740991.0,
                                1.8446744073709552e19,
                                -1,
                                0.5,
                                NAN,
                                INFINITY};
  const std::vector<double>* bases[] = {&kLinear,    &kAttention, &kGather, &kScatter,
                                        &kEmbedding, &kNorm,      &kRope,   &kGlu};
  size_t accepted = 0;
  for (size_t round = 0; round < 40000; round++) {
    std::vector<double> words = *bases[round % std::size(bases)];
    for (size_t changes = 1 + random() % 3; changes > 0; changes--) {
      words[random() % words.size()] = interesting[random() % std::size(interesting)];
    }
    if (random() % 8 == 0) words.resize(random() % words.size());
    try {
      const std::unique_ptr<Program> program = memory.decode(words);
      // A sanitizer build sees any access past the pages; sizes that would only take long are not run.
      executor.execute(*program, stop);
      accepted++;
    } catch (const InvalidOperand&) {
    }
  }
  CHECK(accepted > 100);
}
