// What the tests of ops share: every instruction set of this machine, random numbers, and number formats
// written out independently of the kernels.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "cpu_features.h"

namespace airllm::test {

/** The kernels of every set this machine has. */
inline std::vector<const Kernels*> everyKernels() {
  std::vector<const Kernels*> found;
  for (const char* name : {"scalar", "avx2", "avx512", "avx512vbmi", "amx", "neon"}) {
    if (const Kernels* kernels = kernelsFor(name)) found.push_back(kernels);
  }
  return found;
}

constexpr DType kDTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kF8E4M3};
constexpr Weight kAbsent{nullptr, DType::kF32, 0, 0};

inline size_t bytesOf(DType dtype) { return dtype == DType::kF32 ? 4 : dtype == DType::kF8E4M3 ? 1 : 2; }

/** A bit pattern's value by the definition of the format: sign, exponent, mantissa. */
inline double decode(DType dtype, uint32_t bits) {
  const int exponentBits = dtype == DType::kF8E4M3 ? 4 : dtype == DType::kF16 ? 5 : 8;
  const int mantissaBits = dtype == DType::kF8E4M3 ? 3
                           : dtype == DType::kF16  ? 10
                           : dtype == DType::kBF16 ? 7
                                                   : 23;
  const int bias = (1 << (exponentBits - 1)) - 1;
  const double sign = bits >> (exponentBits + mantissaBits) & 1 ? -1 : 1;
  const int exponent = static_cast<int>(bits >> mantissaBits & ((1u << exponentBits) - 1));
  const double mantissa = static_cast<double>(bits & ((1u << mantissaBits) - 1));
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
  return sign * std::ldexp(mantissa + std::ldexp(1, mantissaBits), exponent - bias - mantissaBits);
}

/** Rows and columns that share a scale in random weights of f8e4m3: blocks end within vectors. */
constexpr size_t kScaleRows = 3, kScaleCols = 24;

/** Random weights of any dtype at an odd address, with their values beside them; f8e4m3 with scales. */
struct RandomWeight {
  std::vector<uint8_t> storage;
  std::vector<float> grid;
  std::vector<double> values;
  Weight weight;

  RandomWeight(std::mt19937& random, DType dtype, size_t rows, size_t cols, size_t scaleCols = kScaleCols,
               size_t firstRow = 1)
      : storage(rows * cols * bytesOf(dtype) + 1), values(rows * cols) {
    uint8_t* data = storage.data() + 1;
    weight = {data, dtype, rows, cols};
    if (dtype == DType::kF8E4M3) addScales(random, scaleCols, firstRow);
    for (size_t i = 0; i < values.size(); i++) {
      const uint32_t bits = randomBits(random, dtype);
      values[i] = decode(dtype, bits);
      // Rounded once, as the reference backend does.
      if (dtype == DType::kF8E4M3) values[i] = static_cast<float>(values[i] * scaleAt(i / cols, i % cols));
      std::memcpy(data + i * bytesOf(dtype), &bits, bytesOf(dtype));
    }
  }

 private:
  /** Exponents around 1, and for the short formats now and then a subnormal. */
  static uint32_t randomBits(std::mt19937& random, DType dtype) {
    const uint32_t sign = random() & 1, noise = random(), exponent = noise % 4, digits = noise >> 8;
    const bool subnormal = random() % 16 == 0;
    switch (dtype) {
      case DType::kF16:
        return sign << 15 | (subnormal ? 0 : 12 + exponent) << 10 | (digits & 0x3ff);
      case DType::kBF16:
        return sign << 15 | (124 + exponent) << 7 | (digits & 0x7f);
      case DType::kF8E4M3:
        return sign << 7 | (subnormal ? 0 : 5 + exponent) << 3 | (digits & 7);
      default:
        return sign << 31 | (124 + exponent) << 23 | (digits & 0x7fffff);
    }
  }

  void addScales(std::mt19937& random, size_t scaleCols, size_t firstRow) {
    const size_t gridCols = weight.cols / scaleCols + 2;
    grid.resize(((firstRow + weight.rows) / kScaleRows + 1) * gridCols);
    std::uniform_real_distribution<float> uniform(0.5f, 2);
    for (float& scale : grid) scale = uniform(random);
    unsigned shift = 0;
    while (shift < kNoShift && size_t{1} << shift != scaleCols) shift++;
    weight.scales = {
        reinterpret_cast<const uint8_t*>(grid.data()), gridCols, kScaleRows, scaleCols, firstRow, shift};
  }

  float scaleAt(size_t row, size_t col) const {
    const Scales& s = weight.scales;
    return grid[(s.firstRow + row) / s.blockRows * s.cols + col / s.blockCols];
  }
};

/** float32 [rows, cols] with `gap` unused values after each row, which must stay as they are. */
struct RandomMatrix {
  std::vector<float> storage;
  Matrix matrix;

  RandomMatrix(std::mt19937& random, size_t rows, size_t cols, size_t gap = 3)
      : storage(rows * (cols + gap) + 1) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& value : storage) value = uniform(random);
    matrix = {storage.data() + 1, rows, cols, cols + gap};
  }

  float at(size_t row, size_t col) const { return matrix.data[row * matrix.stride + col]; }
};

/** Counts the values outside the matrix that differ between two copies of its storage. */
inline size_t strayWrites(const RandomMatrix& before, const RandomMatrix& after) {
  size_t stray = before.storage[0] != after.storage[0];
  for (size_t i = 1; i < before.storage.size(); i++) {
    const bool inside = (i - 1) % before.matrix.stride < before.matrix.cols;
    if (!inside && before.storage[i] != after.storage[i]) stray++;
  }
  return stray;
}

/** A copy whose matrix points into its own storage. */
inline RandomMatrix copyOf(const RandomMatrix& other) {
  RandomMatrix copy = other;
  copy.matrix.data = copy.storage.data() + 1;
  return copy;
}

}  // namespace airllm::test
