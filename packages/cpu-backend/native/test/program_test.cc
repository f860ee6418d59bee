// Words that name memory outside their operands must be refused, whatever they are.

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "cpu_features.h"
#include "engine.h"
#include "executor.h"
#include "pages.h"

using namespace airllm;

namespace {

/** Arena 1: 64 elements. Weights 2: 64 bytes. Cache 3: the layers of kCache, 2 blocks, 2 slots. Code
 * book 4: 1024 bytes. */
struct Operands {
  std::shared_ptr<Pages> arena = Pages::map(64 * 4, false);
  std::shared_ptr<Pages> weights = Pages::map(64, false);
  std::shared_ptr<Pages> cache = Pages::map((128 + 2 * 10 + 96) * 4, false);
  std::shared_ptr<Pages> codes = Pages::map(256 * 4, false);

  FindMemory find() const {
    return [this](uint64_t id) {
      return id == 1 ? arena : id == 2 ? weights : id == 3 ? cache : id == 4 ? codes : nullptr;
    };
  }
  std::unique_ptr<Program> decode(const std::vector<double>& words) const {
    return decodeProgram(words.data(), words.size(), find(), kLimits);
  }
};

using Words = std::vector<double>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/** No cache, no batch. */
const Words kPlain = {1, 0, 0, 0};
/** Keys and values of one head of 2: 2 · 2 · 16 · 2 = 128; inputs [2, 3], state [1, 2, 2]: 10 per slot; one
 * head of 3 latents: 96. */
const Words kCache = {1, 3, 2, 2, 3, 1, 1, 2, 0, 2, 3, 3, 1, 2, 2, 1, 1, 3, 1};
/** One sequence of one row at position 20, slot 1, in blocks 1, 0. */
const Words kRemembering = kCache + Words{1, 1, 0, 1, 20, 1, 2, 1, 0};
/** Two sequences of one row, slots 1 and 0. */
const Words kTwo = kCache + Words{2, 2, 0, 1, 0, 1, 1, 0, 1, 1, 3, 0, 1, 1};

Words tensor(double offset, double rows, double cols) { return {offset, rows, cols, cols}; }
/** bf16. */
Words weight(double byteOffset, double rows, double cols) { return {2, byteOffset, 2, rows, cols, 0}; }
/** f8e4m3 with one scale per 2 × 4 from byte 32 on, from row 1 on. */
Words scaled(double rows, double cols) { return {2, 0, 3, rows, cols, 1, 2, 32, 2, 2, 4, 1}; }

/** code4 of 12 elements from the second of a block of 5 on: 6 bytes, 16 codes at 0, 3 factors at 52. */
const Words kCodes = {2, 0, 9, 2, 6, 0, 5, 1, 0, 2, 0, 2, 52};
/** The same with bytes of factors: two outer ones at 56, 256 codes in memory 4. */
const Words kNested = {2, 0, 9, 2, 6, 0, 5, 1, 1, 2, 0, 2, 52, 2, 1, 0.5, 4, 0, 2, 56};
/** int8 with two groups of columns in each row, scales at 48. */
const Words kIntegers = {2, 0, 13, 2, 6, 0, 4, 2, 48};
/** bf16z with planes at 16 and a base and an escape for each row at 60. */
const Words kLossless = {2, 0, 15, 2, 6, 0, 2, 2, 16, 2, 60};

template <typename OpType>
bool is(const Op& op) {
  return std::holds_alternative<OpType>(op);
}

struct Submission {
  bool (*decodes)(const Op& op);
  Words words;
};

const Words kLinear = kPlain + Words{3} + tensor(0, 2, 8) + weight(0, 4, 8) + Words{0, 0} + tensor(16, 2, 4);
const Words kScaled = kPlain + Words{3} + tensor(0, 2, 8) + scaled(4, 8) + Words{0, 1} + tensor(16, 2, 4);
Words packed(const Words& weight) {
  return kPlain + Words{3} + tensor(0, 2, 6) + weight + Words{0, 0} + tensor(16, 2, 2);
}
const Words kEmbedding = kPlain + Words{1} + weight(0, 4, 8) + tensor(0, 2, 8) + Words{3, 0};
const Words kGather = kPlain + Words{9} + tensor(0, 2, 4) + tensor(8, 2, 4) + Words{1, 0, 1, 0.5, 2};
const Words kAttention = kRemembering + Words{5, 0, 1, 1, 2, 1, INFINITY, 16, 30, 1} + weight(0, 1, 1) +
                         Words{1, 0.5} + tensor(0, 1, 2) + tensor(2, 1, 2) + tensor(4, 1, 2) +
                         tensor(6, 1, 2);
const Words kConv =
    kTwo + Words{14, 1} + tensor(0, 2, 3) + weight(0, 3, 3) + Words{1} + weight(20, 1, 3) + tensor(8, 2, 3);
/** One head of 1 + 1 key columns and 1 value column over rank 2. */
const Words kLatent = kRemembering + Words{13, 2, 1, 2, 1, 1, 1, 0.5} + weight(0, 2, 2) + tensor(0, 1, 2) +
                      tensor(4, 1, 3) + tensor(8, 1, 1);
const Words kDelta = kTwo + Words{15, 1, 1, 1, 2, 2} + weight(0, 1, 1) + weight(2, 1, 1) + tensor(0, 2, 2) +
                     tensor(4, 2, 2) + tensor(8, 2, 2) + tensor(12, 2, 1) + tensor(14, 2, 1) +
                     tensor(16, 2, 2);

const Submission kSubmissions[] = {
    {is<LinearOp>, kLinear},
    {is<LinearOp>, kScaled},
    {is<LinearOp>, packed(kCodes)},
    {is<LinearOp>, packed(kNested)},
    {is<LinearOp>, packed(kIntegers)},
    {is<LinearOp>, packed(kLossless)},
    {is<EmbeddingOp>, kEmbedding},
    {is<GatherRowsOp>, kGather},
    {is<AttentionOp>, kAttention},
    {is<ShortConvOp>, kConv},
    {is<LatentAttentionOp>, kLatent},
    {is<GatedDeltaOp>, kDelta},
    {is<RmsNormOp>,
     kPlain + Words{2} + tensor(0, 2, 8) + Words{1} + weight(0, 1, 8) + Words{4, 1, 1e-5} + tensor(16, 2, 8)},
    {is<LayerNormOp>, kPlain + Words{11} + tensor(0, 2, 8) + Words{1} + weight(0, 1, 4) + Words{1} +
                          weight(8, 1, 8) + Words{4, 1e-5} + tensor(16, 2, 8)},
    {is<LinearTransposedOp>,
     kPlain + Words{12} + tensor(0, 2, 4) + weight(0, 4, 6) + Words{0, 1} + tensor(16, 2, 6)},
    {is<LinearTransposedOp>,
     kPlain + Words{12} + tensor(0, 2, 4) + scaled(4, 8) + Words{0, 0} + tensor(16, 2, 8)},
    {is<RopeOp>,
     kPlain + Words{4} + tensor(0, 2, 8) + Words{4, 2, 2, 0} + tensor(16, 2, 1) + tensor(20, 2, 1)},
    {is<GluOp>, kPlain + Words{6, 0} + tensor(0, 2, 8) + tensor(16, 2, 8) + tensor(0, 2, 8)},
    {is<ClampedGluOp>, kPlain + Words{16, 1.702, 7} + tensor(0, 2, 4) + tensor(16, 2, 8)},
    {is<ActivateOp>, kPlain + Words{17, 1} + tensor(0, 2, 4) + tensor(16, 2, 4)},
    {is<SigmoidGateOp>, kPlain + Words{18} + tensor(0, 2, 4) + tensor(16, 2, 1) + tensor(0, 2, 4)},
    {is<SoftcapOp>, kPlain + Words{19, 30} + tensor(0, 2, 4)},
    {is<ScaleOp>, kPlain + Words{20, 0.5} + tensor(0, 2, 4)},
    {is<ScaleRowsOp>, kPlain + Words{21} + tensor(0, 2, 4) + tensor(16, 2, 1)},
    {is<AccumulateOp>, kPlain + Words{7} + tensor(0, 2, 4) + tensor(8, 2, 4)},
    {is<FillOp>, kPlain + Words{8, 3} + tensor(0, 2, 4)},
    {is<UngroupOp>, kPlain + Words{22} + tensor(0, 2, 8) + Words{4, 1, 2} + tensor(16, 2, 4)},
    {is<ScatterAddRowsOp>, kPlain + Words{10} + tensor(0, 2, 4) + tensor(8, 2, 4) + Words{1, 0, 0.5, 2}},
};

}  // namespace

TEST_CASE("well-formed submissions decode to their op") {
  const Operands memory;
  for (size_t i = 0; i < std::size(kSubmissions); i++) {
    CAPTURE(i);
    CHECK(kSubmissions[i].decodes(memory.decode(kSubmissions[i].words)->ops.at(0)));
  }
}

TEST_CASE("operands outside their memory are refused") {
  const Operands memory;
  const auto changed = [](Words words, size_t at, double value) {
    words.at(at) = value;
    return words;
  };
  CHECK_THROWS_AS(memory.decode({}), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 0, 9)), InvalidOperand);    // no such memory
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 5, 49)), InvalidOperand);   // x ends at 65 of 64 elements
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 10, 1)), InvalidOperand);   // weight ends at 65 of 64 bytes
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 11, 0)), InvalidOperand);   // f32 needs 128 bytes
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 11, 3)), InvalidOperand);   // f8e4m3 needs scales
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 8, 4)), InvalidOperand);    // rows overlap
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, 0.5)), InvalidOperand);  // not an integer
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, -1)), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 6, NAN)), InvalidOperand);
  CHECK_THROWS_AS(memory.decode(changed(kLinear, 4, 23)), InvalidOperand);     // no such op
  CHECK_THROWS_AS(memory.decode(changed(kGather, 13, 2)), InvalidOperand);     // row 2 of 2
  CHECK_THROWS_AS(memory.decode(changed(kEmbedding, 15, 4)), InvalidOperand);  // id 4 of 4
}

TEST_CASE("scales outside their memory are refused") {
  const Operands memory;
  // Words 15 … 20: memory, byteOffset, cols, blockRows, blockCols, firstRow. Rows 1 … 4 are blocks 0 … 2: 6
  // scales.
  const auto refused = [&](size_t at, double value) {
    Words words = kScaled;
    words.at(at) = value;
    CAPTURE(at);
    CHECK_THROWS_AS(memory.decode(words), InvalidOperand);
  };
  refused(14, 0);   // none
  refused(15, 7);   // no such memory
  refused(16, 41);  // end at 65 of 64 bytes
  refused(17, 1);   // one column of scales for two blocks
  refused(18, 0);
  refused(19, 0);
  refused(20, 7);  // row 10 is in block 5
  refused(20, 9007199254740991.0);
}

TEST_CASE("companions of packed weights outside their memory are refused") {
  const Operands memory;
  const auto refused = [&](const Words& weight, size_t at, double value) {
    Words words = packed(weight);
    words.at(kPlain.size() + 5 + at) = value;
    CAPTURE(at);
    CHECK_THROWS_AS(memory.decode(words), InvalidOperand);
  };
  refused(kCodes, 1, 59);  // 6 bytes of codes
  refused(kCodes, 2, 16);  // no such dtype
  refused(kCodes, 2, 12);  // a code book of 256
  refused(kCodes, 6, 0);   // blocks of nothing
  refused(kCodes, 6, 1);   // the first element is past its block
  refused(kCodes, 7, 5);
  refused(kCodes, 6, 4);     // 4 factors
  refused(kCodes, 8, 2);     // no flag
  refused(kCodes, 10, 1);    // 64 bytes of code book
  refused(kCodes, 12, 53);   // 12 bytes of factors
  refused(kNested, 12, 62);  // 3 bytes of factors
  refused(kNested, 13, 0);
  refused(kNested, 14, 2);  // factors 2 … 4 are in three blocks
  refused(kNested, 15, INFINITY);
  refused(kNested, 16, 2);  // 1024 bytes of code book
  refused(kNested, 19, 57);
  refused(kIntegers, 6, 0);
  refused(kIntegers, 6, 2);  // 6 scales
  refused(kIntegers, 8, 49);
  refused(kLossless, 6, 0);
  refused(kLossless, 6, 3);   // 6 bytes of escapes
  refused(kLossless, 8, 17);  // 48 bytes of planes
  refused(kLossless, 10, 61);
}

TEST_CASE("what a cache does not hold is refused") {
  const Operands memory;
  const auto refused = [&](const Words& base, size_t at, double value) {
    Words words = base;
    words.at(at) = value;
    CAPTURE(at);
    CHECK_THROWS_AS(memory.decode(words), InvalidOperand);
  };
  refused(kAttention, 2, 3);   // three blocks do not fit
  refused(kAttention, 3, 5);   // nor do five slots
  refused(kAttention, 5, 3);   // no such kind of layer
  refused(kAttention, 8, 1);   // keys alone
  refused(kAttention, 17, 4);  // the last layer does not fit
  const size_t batch = kCache.size();
  refused(kAttention, batch + 7, 2);   // block 2 of 2
  refused(kAttention, batch + 4, 32);  // position past its blocks
  const size_t op = kRemembering.size();
  refused(kAttention, op + 1, 1);  // keys in a recurrent layer
  refused(kAttention, op + 1, 2);  // values where keys alone are kept
  refused(kAttention, op + 1, 3);  // no such layer
  refused(kAttention, op + 6, 0);  // a window of nothing
  refused(kAttention, op + 8, 0);  // a cap of nothing
  refused(kAttention, op + 8, NAN);
  refused(kLatent, op + 1, 0);   // latents among keys and values
  refused(kLatent, op + 3, 3);   // another rank
  refused(kConv, batch + 5, 0);  // two sequences in slot 0
  refused(kConv, batch + 5, 2);  // slot 2 of 2
  refused(kConv, batch + 5, -1);
  refused(kConv, kTwo.size() + 1, 0);  // inputs in an attention layer
  refused(kDelta, kTwo.size() + 1, 2);
  refused(kDelta, kTwo.size() + 4, 1);  // another keyDim
}

TEST_CASE("random words never reach outside memory") {
  const Operands memory;
  Executor executor(*kernelsFor("auto"), nullptr, 2);
  const std::atomic<bool> stop{false};
  std::mt19937 random(12);
  const double interesting[] = {0,
                                1,
                                2,
                                3,
                                4,
                                5,
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
  size_t accepted = 0;
  for (size_t round = 0; round < 100000; round++) {
    std::vector<double> words = kSubmissions[round % std::size(kSubmissions)].words;
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
