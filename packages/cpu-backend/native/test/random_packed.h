// Random weights of packed formats with all that stands beside them.
#pragma once

#include <memory>

#include "support.h"

namespace airllm::test {

struct PackedShape {
  DType dtype;
  size_t rows, cols;
  /** Elements of a block of codes and those before the slice, or columns of a group of integers. */
  size_t block = 0, first = 0;
  bool nested = false;
};

/** Bytes in allocations of their own, whose every end sanitizers know. */
class RandomPacked {
 public:
  Weight weight;

  /** A book of 256 that mirrors around code 127, or not. */
  RandomPacked(std::mt19937& random, const PackedShape& shape, bool mirrored) : random_(random) {
    const auto [dtype, rows, cols, block, first, nested] = shape;
    const size_t elements = rows * cols;
    const BlockSize size = blockSize(dtype);
    const size_t bytes = dtype == DType::kCode4 ? (elements + 1) / 2 : elements / size.elements * size.bytes;
    weight = {randomBytes(bytes), dtype, rows, cols};
    Packing& packing = weight.packing;
    switch (dtype) {
      case DType::kMxFp4:
        packing.factors = randomBytes(elements / 32, 120, 8);
        break;
      case DType::kCode4:
      case DType::kCode8: {
        packing.codes = book(dtype == DType::kCode4 ? 16 : 256, mirrored);
        packing.blockLength = block;
        packing.first = first;
        const size_t blocks = (first + elements - 1) / block + 1;
        packing.factors = nested ? randomBytes(blocks) : randomFloats(blocks);
        if (!nested) break;
        packing.nestedCodes = randomFloats(256);
        packing.nestedBlock = 8;
        packing.nestedFirst = 5;
        packing.nestedOffset = 0.25f;
        packing.nestedFactors = randomFloats((5 + blocks - 1) / 8 + 1);
        break;
      }
      case DType::kInt8:
      case DType::kInt4:
        packing.groupCols = block;
        packing.factors = randomFloats(rows * ((cols - 1) / block + 1));
        break;
      case DType::kBf16z:
        addPlanes();
        break;
      case DType::kGptq:
      case DType::kAwq:
        packing.groupRows = 4;
        packing.factors = randomFloats((rows + 3) / 4 * cols);
        packing.zeros = randomBytes((rows + 3) / 4 * cols / 2);
        break;
      default:
        setHalves();
    }
  }

 private:
  uint8_t* allocate(size_t length) {
    memory_.push_back(std::make_unique<uint8_t[]>(length));
    return memory_.back().get();
  }
  uint8_t* randomBytes(size_t length, unsigned least = 0, unsigned range = 256) {
    uint8_t* bytes = allocate(length);
    for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(least + random_() % range);
    return bytes;
  }
  uint8_t* floatBytes(const std::vector<float>& values) {
    uint8_t* bytes = allocate(values.size() * sizeof(float));
    std::memcpy(bytes, values.data(), values.size() * sizeof(float));
    return bytes;
  }
  std::vector<float> uniform(size_t count) {
    std::uniform_real_distribution<float> values(-1, 1);
    std::vector<float> list(count);
    for (float& value : list) value = values(random_);
    return list;
  }
  uint8_t* randomFloats(size_t count) { return floatBytes(uniform(count)); }
  uint8_t* book(size_t count, bool mirrored) {
    std::vector<float> values = uniform(count);
    if (mirrored && count == 256) {
      values[127] = 0;
      for (size_t j = 1; j < 128; j++) values[127 + j] = -values[127 - j];
    }
    return floatBytes(values);
  }
  /** A third of the columns escape, and every row runs out of escapes. */
  void addPlanes() {
    const size_t groups = (weight.cols - 1) / kLosslessGroup + 1;
    uint8_t* planes = allocate(weight.rows * groups * kLosslessGroupBytes);
    for (size_t r = 0; r < weight.rows; r++) {
      for (size_t c = 0; c < weight.cols; c++) {
        const unsigned code = random_() % 3 == 0 ? 7 : random_() % 8;
        for (size_t plane = 0; plane < 3; plane++) {
          uint8_t& byte = planes[(r * groups + c / 64) * 24 + plane * 8 + c % 64 / 8];
          byte = static_cast<uint8_t>(byte | (code >> plane & 1) << c % 8);
        }
      }
    }
    weight.packing.codes = planes;
    weight.packing.escapeBytes = 1 + weight.cols / 3;
    weight.packing.factors = randomBytes(weight.rows * weight.packing.escapeBytes, 115, 12);
  }
  /** float16 factors of GGUF blocks: around 2⁻⁵. */
  void setHalves() {
    const BlockSize size = blockSize(weight.dtype);
    const size_t place = weight.dtype == DType::kQ6K ? 208 : 0;
    const size_t count = weight.dtype == DType::kQ4K ? 2 : 1;
    for (size_t b = 0; b < weight.rows * weight.cols / size.elements; b++) {
      for (size_t i = 0; i < count; i++) {
        const uint16_t half = static_cast<uint16_t>(0x2800 + random_() % 0x400);
        std::memcpy(memory_[0].get() + b * size.bytes + place + 2 * i, &half, sizeof half);
      }
    }
  }

  std::mt19937& random_;
  std::vector<std::unique_ptr<uint8_t[]>> memory_;
};

struct Scratch {
  std::vector<float> storage = std::vector<float>(kScratchFloats + 16);
  float* data() {
    return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(storage.data()) + 63) / 64 * 64);
  }
};

/** Values of a weight, by its embedding. */
inline std::vector<float> decoded(const Kernels& kernels, const Weight& weight) {
  std::vector<uint32_t> ids(weight.rows);
  for (size_t i = 0; i < ids.size(); i++) ids[i] = static_cast<uint32_t>(i);
  std::vector<float> values(weight.rows * weight.cols);
  kernels.embedding({weight, ids.data(), {values.data(), weight.rows, weight.cols, weight.cols}}, 0,
                    weight.rows);
  return values;
}

}  // namespace airllm::test
