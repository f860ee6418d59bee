#include "reader.h"

#include <algorithm>
#include <cmath>

namespace airllm {
namespace {

/** Integers up to here are exact in a word. */
constexpr double kLargestInteger = 9007199254740991.0;
/** A slot that no cache has. */
constexpr size_t kNoSlot = std::numeric_limits<size_t>::max();

/** Bytes of `elements` values, whole blocks. */
size_t bytesOf(DType dtype, size_t elements) {
  if (dtype == DType::kCode4) return elements / 2 + elements % 2;
  const BlockSize block = blockSize(dtype);
  return product(elements / block.elements, block.bytes);
}

bool isInteger(double value) {
  return value >= 0 && value <= kLargestInteger && static_cast<double>(static_cast<size_t>(value)) == value;
}

/** The shift that divides every column by `blockCols`. */
unsigned shiftOf(size_t blockCols, size_t cols) {
  if (blockCols >= cols) return 63;
  unsigned shift = 0;
  while (size_t{1} << shift < blockCols) shift++;
  return size_t{1} << shift == blockCols ? shift : kNoShift;
}

}  // namespace

void Reader::readHeader() {
  arena_ = memory(integer()).get();
  cache_.read(*this);
  readBatch();
}

double Reader::word() {
  expect(word_ != end_, "Expected more words of the submission");
  return *word_++;
}

size_t Reader::integer() {
  const double value = word();
  expect(isInteger(value), "Expected a non-negative integer operand");
  return static_cast<size_t>(value);
}

size_t Reader::positive() {
  const size_t value = integer();
  expect(value > 0, "Expected a positive operand");
  return value;
}

size_t Reader::limit() {
  expect(word_ != end_, "Expected more words of the submission");
  if (*word_ != INFINITY) return positive();
  word_++;
  return std::numeric_limits<size_t>::max();
}

bool Reader::flag() {
  const size_t value = integer();
  expect(value <= 1, "Expected a flag of 0 or 1");
  return value == 1;
}

float Reader::finite() {
  const double value = word();
  expect(std::isfinite(value), "Expected a finite operand");
  return static_cast<float>(value);
}

Matrix Reader::tensor() {
  const size_t offset = integer(), rows = integer(), cols = integer(), stride = integer();
  const size_t limit = arena_->byteLength() / sizeof(float);
  // Bounded even where there are no rows: work is counted in columns too.
  expect(cols > 0 && cols <= limit && offset <= limit, "Expected a tensor inside its arena");
  if (rows > 0) {
    expect(rows == 1 || stride >= cols, "Expected rows of a tensor not to overlap");
    const size_t last = product(rows - 1, stride);
    expect(last <= limit && inside(offset, last + cols, limit), "Expected a tensor inside its arena");
  }
  return {reinterpret_cast<float*>(arena_->data()) + offset, rows, cols, stride};
}

Matrix Reader::tensor(size_t rows, size_t cols) {
  const Matrix found = tensor();
  if (found.rows != rows || found.cols != cols) {
    refuse("Expected a tensor [" + std::to_string(rows) + ", " + std::to_string(cols) + "] but received [" +
           std::to_string(found.rows) + ", " + std::to_string(found.cols) + "]");
  }
  return found;
}

Weight Reader::weight() {
  const Weight found = packableWeight();
  expect(!isPacked(found.dtype), "Expected a weight of single values");
  return found;
}

Weight Reader::packableWeight() {
  const std::shared_ptr<Memory> found = memory(integer());
  const size_t byteOffset = integer(), number = integer(), rows = integer(), cols = integer();
  expect(number <= static_cast<size_t>(kLastDType), "Expected a known weight dtype");
  const DType dtype = static_cast<DType>(number);
  expect(cols % blockSize(dtype).elements == 0, "Expected rows of whole blocks of a packed weight");
  const size_t bytes = bytesOf(dtype, product(rows, cols));
  Weight weight{reads(*found, byteOffset, bytes, "Expected a weight inside its memory"), dtype, rows, cols};
  const size_t scaleKind = integer();
  expect(scaleKind <= 2 && (scaleKind > 0) == (dtype == DType::kF8E4M3),
         "Expected scales for f8e4m3 and for nothing else");
  if (dtype == DType::kF8E4M3) weight.scales = scales(rows, cols, scaleKind == 2);
  if (isPacked(dtype)) weight.packing = packing(dtype, rows, cols);
  return weight;
}

Scales Reader::scales(size_t rows, size_t cols, bool bf16) {
  const std::shared_ptr<Memory> found = memory(integer());
  const size_t byteOffset = integer();
  Scales grid{};
  grid.bf16 = bf16;
  grid.cols = positive();
  grid.blockRows = positive();
  grid.blockCols = positive();
  grid.firstRow = integer();
  expect(rows > 0 && cols > 0, "Expected rows and columns of a weight with scales");
  const size_t lastRow = (total(grid.firstRow, rows) - 1) / grid.blockRows;
  const size_t neededCols = (cols - 1) / grid.blockCols + 1;
  expect(grid.cols >= neededCols, "Expected as many columns of scales as a weight has blocks");
  const size_t values = total(product(lastRow, grid.cols), neededCols);
  grid.data = reads(*found, byteOffset, product(values, bf16 ? 2 : 4), "Expected scales inside their memory");
  grid.shift = shiftOf(grid.blockCols, cols);
  return grid;
}

Weight Reader::vector(size_t length) {
  const Weight found = weight();
  expect(found.rows == 1 && found.cols == length, "Expected a vector with one value per column or head");
  return found;
}

Weight Reader::optionalWeight() { return flag() ? weight() : Weight{nullptr, DType::kF32, 0, 0}; }

Weight Reader::optionalVector(size_t length) {
  return flag() ? vector(length) : Weight{nullptr, DType::kF32, 0, 0};
}

const uint32_t* Reader::indices(size_t count, size_t limit) {
  expect(count <= static_cast<size_t>(end_ - word_), "Expected one index per row");
  std::vector<uint32_t>& list = program_.indexLists.emplace_back(count);
  for (uint32_t& index : list) {
    const size_t value = integer();
    expect(value < limit && value <= UINT32_MAX, "Expected every index below the number of rows");
    index = static_cast<uint32_t>(value);
  }
  return list.data();
}

const float* Reader::floats(size_t count) {
  expect(count <= static_cast<size_t>(end_ - word_), "Expected one value per row or head");
  std::vector<float>& list = program_.floatLists.emplace_back(count);
  for (float& value : list) value = static_cast<float>(word());
  return list.data();
}

const uint8_t* Reader::reads(const Memory& memory, size_t byteOffset, size_t byteLength,
                             const char* message) {
  expect(inside(byteOffset, byteLength, memory.byteLength()), message);
  const uint8_t* data = memory.data() + byteOffset;
  program_.reads.push_back({program_.ops.size(), data, byteLength, memory.onHost()});
  return data;
}

std::shared_ptr<Memory> Reader::memory(size_t id) {
  std::shared_ptr<Memory> found = find_(id);
  expect(found != nullptr, "Expected memory of this backend that is not disposed");
  auto& held = program_.memory;
  if (std::find(held.begin(), held.end(), found) == held.end()) held.push_back(found);
  return found;
}

void Reader::readBatch() {
  batchRows_ = integer();
  const size_t sequences = integer();
  expect(batchRows_ <= static_cast<size_t>(INT32_MAX), "Expected fewer rows in the batch");
  size_t row = 0;
  for (size_t i = 0; i < sequences; i++) {
    const size_t rowStart = integer(), rowCount = integer(), past = integer();
    const double slot = word();
    const size_t blockCount = integer();
    expect(rowStart == row && rowCount <= batchRows_ - row,
           "Expected sequences that cover the rows in order");
    expect(blockCount <= static_cast<size_t>(end_ - word_), "Expected one word per KV block");
    program_.sequences.push_back(
        {row, rowCount, past, isInteger(slot) ? static_cast<size_t>(slot) : kNoSlot});
    std::vector<int32_t>& blocks = program_.blockLists.emplace_back(blockCount);
    for (int32_t& block : blocks) {
      const size_t value = integer();
      expect(value <= static_cast<size_t>(INT32_MAX), "Expected a KV block number");
      block = static_cast<int32_t>(value);
      highestBlock_ = std::max(highestBlock_, value);
    }
    // Only attention needs blocks; without them there are no places to list either.
    blocksSuffice_ = blocksSuffice_ && inside(past, rowCount, blockCount * kKvBlockTokens);
    for (size_t t = 0; t < rowCount && blocksSuffice_; t++)
      program_.places.push_back({past + t, blocks.data()});
    row += rowCount;
  }
  expect(row == batchRows_, "Expected every row to belong to a sequence");
}

const RowPlace* Reader::places(size_t rows, size_t blocks) const {
  expect(rows == batchRows_, "Expected as many rows as the batch has");
  expect(blocksSuffice_, "Expected KV blocks for every token");
  expect(program_.places.empty() || highestBlock_ < blocks, "Expected KV blocks of this cache");
  return program_.places.data();
}

void Reader::expectSlots(size_t rows, size_t slots) const {
  expect(rows == batchRows_, "Expected as many rows as the batch has");
  std::vector<size_t> taken;
  for (const SequenceRun& run : program_.sequences) {
    expect(run.slot < slots, "Expected slots below those of the cache");
    taken.push_back(run.slot);
  }
  std::sort(taken.begin(), taken.end());
  expect(std::adjacent_find(taken.begin(), taken.end()) == taken.end(),
         "Expected a slot of its own for each sequence");
}

}  // namespace airllm
