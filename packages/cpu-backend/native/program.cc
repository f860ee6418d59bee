#include "program.h"

#include <algorithm>
#include <limits>

namespace airllm {
namespace {

enum class Opcode {
  kEmbedding = 1,
  kRmsNorm = 2,
  kLinear = 3,
  kRope = 4,
  kAttention = 5,
  kGlu = 6,
  kAccumulate = 7,
  kFill = 8,
  kGatherRows = 9,
  kScatterAddRows = 10,
};

/** Integers up to here are exact in a word. */
constexpr double kLargestInteger = 9007199254740991.0;

[[noreturn]] void refuse(const std::string& message) { throw InvalidOperand(message); }

void expect(bool condition, const char* message) {
  if (!condition) refuse(message);
}

size_t product(size_t a, size_t b) {
  expect(b == 0 || a <= std::numeric_limits<size_t>::max() / b, "Expected sizes whose product fits 64 bits");
  return a * b;
}

/** True when [offset, offset + length) lies in [0, limit). */
bool inside(size_t offset, size_t length, size_t limit) {
  return offset <= limit && length <= limit - offset;
}

size_t bytesOf(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }

class Decoder {
 public:
  Decoder(const double* words, size_t count, const FindPages& find)
      : word_(words), end_(words + count), find_(find), program_(std::make_unique<Program>()) {}

  std::unique_ptr<Program> decode() {
    arena_ = pages(integer());
    const size_t kvId = integer();
    if (kvId != 0) kv_ = pages(kvId);
    decodeBatch();
    while (word_ != end_) program_->ops.push_back(decodeOp());
    return std::move(program_);
  }

  void useArena(const Pages& arena) { arenaView_ = &arena; }

  Matrix tensor() {
    const Pages& arena = arenaView_ != nullptr ? *arenaView_ : *arena_;
    const size_t offset = integer(), rows = integer(), cols = integer(), stride = integer();
    const size_t limit = arena.byteLength() / sizeof(float);
    // Bounded even where there are no rows: work is counted in columns too.
    expect(cols > 0 && cols <= limit && offset <= limit, "Expected a tensor inside its arena");
    if (rows > 0) {
      expect(rows == 1 || stride >= cols, "Expected rows of a tensor not to overlap");
      const size_t last = product(rows - 1, stride);
      expect(last <= limit && inside(offset, last + cols, limit), "Expected a tensor inside its arena");
    }
    return {reinterpret_cast<float*>(arena.data()) + offset, rows, cols, stride};
  }

 private:
  double word() {
    expect(word_ != end_, "Expected more words of the submission");
    return *word_++;
  }

  size_t integer() {
    const double value = word();
    expect(value >= 0 && value <= kLargestInteger, "Expected a non-negative integer operand");
    const size_t result = static_cast<size_t>(value);
    expect(static_cast<double>(result) == value, "Expected a non-negative integer operand");
    return result;
  }

  size_t positive() {
    const size_t value = integer();
    expect(value > 0, "Expected a positive operand");
    return value;
  }

  std::shared_ptr<Pages> pages(size_t id) {
    std::shared_ptr<Pages> found = find_(id);
    expect(found != nullptr, "Expected memory of this backend that is not disposed");
    const auto& held = program_->pages;
    if (std::find(held.begin(), held.end(), found) == held.end()) program_->pages.push_back(found);
    return found;
  }

  Weight weight() {
    const std::shared_ptr<Pages> memory = pages(integer());
    const size_t byteOffset = integer(), dtype = integer(), rows = integer(), cols = integer();
    expect(dtype <= 2, "Expected a known weight dtype");
    const size_t bytes = product(product(rows, cols), bytesOf(static_cast<DType>(dtype)));
    expect(inside(byteOffset, bytes, memory->byteLength()), "Expected a weight inside its memory");
    return {memory->data() + byteOffset, static_cast<DType>(dtype), rows, cols};
  }

  /** `count` row numbers below `limit`. */
  const uint32_t* indices(size_t count, size_t limit) {
    expect(count <= static_cast<size_t>(end_ - word_), "Expected one index per row");
    std::vector<uint32_t>& list = program_->indexLists.emplace_back(count);
    for (uint32_t& index : list) {
      const size_t value = integer();
      expect(value < limit && value <= UINT32_MAX, "Expected every index below the number of rows");
      index = static_cast<uint32_t>(value);
    }
    return list.data();
  }

  void decodeBatch() {
    const size_t rows = integer();
    const size_t sequences = integer();
    expect(rows <= static_cast<size_t>(INT32_MAX), "Expected fewer rows in the batch");
    size_t row = 0;
    for (size_t i = 0; i < sequences; i++) {
      const size_t rowStart = integer(), rowCount = integer(), past = integer(), blockCount = integer();
      expect(rowStart == row && rowCount <= rows - row, "Expected sequences that cover the rows in order");
      expect(blockCount <= static_cast<size_t>(end_ - word_), "Expected one word per KV block");
      expect(inside(past, rowCount, blockCount * kKvBlockTokens), "Expected KV blocks for every token");
      std::vector<int32_t>& blocks = program_->blockLists.emplace_back(blockCount);
      for (int32_t& block : blocks) {
        const size_t value = integer();
        expect(value <= static_cast<size_t>(INT32_MAX), "Expected a KV block number");
        block = static_cast<int32_t>(value);
        highestBlock_ = std::max(highestBlock_, value);
      }
      for (size_t t = 0; t < rowCount; t++) program_->places.push_back({past + t, blocks.data()});
      row += rowCount;
    }
    expect(row == rows, "Expected every row to belong to a sequence");
  }

  Op decodeOp() {
    switch (static_cast<Opcode>(integer())) {
      case Opcode::kEmbedding:
        return embedding();
      case Opcode::kRmsNorm:
        return rmsNorm();
      case Opcode::kLinear:
        return linear();
      case Opcode::kRope:
        return rope();
      case Opcode::kAttention:
        return attention();
      case Opcode::kGlu:
        return glu();
      case Opcode::kAccumulate: {
        const Matrix x = tensor(), y = tensor();
        sameShape(x, y);
        return AccumulateOp{x, y};
      }
      case Opcode::kFill: {
        const Matrix x = tensor();
        return FillOp{x, static_cast<float>(word())};
      }
      case Opcode::kGatherRows: {
        const Matrix x = tensor(), out = tensor();
        expect(x.cols == out.cols, "Expected equal columns");
        return GatherRowsOp{x, indices(out.rows, x.rows), out};
      }
      case Opcode::kScatterAddRows:
        return scatterAddRows();
    }
    refuse("Expected a known op");
  }

  Op embedding() {
    const Weight table = weight();
    const Matrix out = tensor();
    expect(table.cols == out.cols, "Expected as many columns as the embedding table has");
    return EmbeddingOp{table, indices(out.rows, table.rows), out};
  }

  Op rmsNorm() {
    const Matrix x = tensor();
    const Weight scale = weight();
    const float eps = static_cast<float>(word());
    const Matrix out = tensor();
    sameShape(x, out);
    expect(scale.rows == 1 && scale.cols > 0 && x.cols % scale.cols == 0,
           "Expected whole groups for rmsNorm");
    return RmsNormOp{x, scale, eps, out};
  }

  Op linear() {
    const Matrix x = tensor();
    const Weight matrix = weight();
    Weight bias{nullptr, DType::kF32, 0, 0};
    if (integer() != 0) {
      bias = weight();
      expect(bias.rows == 1 && bias.cols == matrix.rows, "Expected one bias per row of the weight");
    }
    const Matrix out = tensor();
    expect(x.cols == matrix.cols && out.cols == matrix.rows && x.rows == out.rows,
           "Expected x [T, K], weight [N, K] and out [T, N] for linear");
    return LinearOp{x, matrix, bias, out};
  }

  Op rope() {
    const Matrix x = tensor(), cos = tensor(), sin = tensor();
    const size_t headDim = positive(), rotaryDim = integer(), style = integer();
    expect(x.cols % headDim == 0 && rotaryDim <= headDim && rotaryDim % 2 == 0 && style <= 1,
           "Expected whole heads and an even rotaryDim for rope");
    expect(cos.rows == x.rows && sin.rows == x.rows && cos.cols == rotaryDim / 2 && sin.cols == rotaryDim / 2,
           "Expected cosines and sines [T, rotaryDim / 2] for rope");
    return RopeOp{x, cos, sin, headDim, rotaryDim, style == 1};
  }

  Op attention() {
    const size_t keys = integer(), values = integer(), blocks = integer();
    AttentionOp op{};
    op.q = tensor();
    op.k = tensor();
    op.v = tensor();
    op.out = tensor();
    op.heads = positive();
    op.kvHeads = positive();
    op.headDim = positive();
    op.scale = static_cast<float>(word());
    const size_t window = integer();
    op.window = window == 0 ? std::numeric_limits<size_t>::max() : window;
    expect(op.heads % op.kvHeads == 0, "Expected heads to be a multiple of kvHeads");
    sameShape(op.q, op.out);
    sameShape(op.k, op.v);
    expect(op.q.cols == product(op.heads, op.headDim) && op.k.cols == product(op.kvHeads, op.headDim),
           "Expected heads · headDim columns for attention");
    expect(op.q.rows == op.k.rows && op.q.rows == program_->places.size(),
           "Expected as many rows for attention as the batch has");
    expect(kv_ != nullptr, "Expected a KV cache for attention");
    expect(program_->places.empty() || highestBlock_ < blocks, "Expected KV blocks of this cache");
    const size_t limit = kv_->byteLength() / sizeof(float);
    const size_t pool = product(product(blocks, op.k.cols), kKvBlockTokens);
    expect(inside(keys, pool, limit) && inside(values, pool, limit),
           "Expected keys and values inside the KV cache");
    op.keys = reinterpret_cast<float*>(kv_->data()) + keys;
    op.values = reinterpret_cast<float*>(kv_->data()) + values;
    op.places = program_->places.data();
    return op;
  }

  Op glu() {
    const Matrix gate = tensor(), up = tensor();
    const size_t activation = integer();
    const Matrix out = tensor();
    sameShape(gate, up);
    sameShape(gate, out);
    expect(activation <= 2, "Expected a known activation");
    return GluOp{gate, up, static_cast<Activation>(activation), out};
  }

  Op scatterAddRows() {
    const Matrix x = tensor(), out = tensor();
    expect(x.cols == out.cols, "Expected equal columns");
    const uint32_t* rows = indices(x.rows, out.rows);
    std::vector<float>& scales = program_->scaleLists.emplace_back(x.rows);
    for (float& scale : scales) scale = static_cast<float>(word());
    return ScatterAddRowsOp{x, rows, scales.data(), out};
  }

  static void sameShape(const Matrix& a, const Matrix& b) {
    expect(a.rows == b.rows && a.cols == b.cols, "Expected tensors of the same shape");
  }

  const double* word_;
  const double* end_;
  const FindPages& find_;
  std::unique_ptr<Program> program_;
  std::shared_ptr<Pages> arena_;
  const Pages* arenaView_ = nullptr;
  std::shared_ptr<Pages> kv_;
  size_t highestBlock_ = 0;
};

}  // namespace

std::unique_ptr<Program> decodeProgram(const double* words, size_t count, const FindPages& find) {
  return Decoder(words, count, find).decode();
}

Matrix decodeTensor(const double* words, size_t count, const Pages& pages) {
  const FindPages none = [](uint64_t) { return nullptr; };
  Decoder decoder(words, count, none);
  decoder.useArena(pages);
  return decoder.tensor();
}

}  // namespace airllm
