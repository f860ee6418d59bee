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
  for (const char* name : {"scalar", "avx2", "avx512", "neon"}) {
    if (const Kernels* kernels = kernelsFor(name)) found.push_back(kernels);
  }
  return found;
}

constexpr DType kDTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

inline size_t bytesOf(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }

/** A bit pattern's value by the definition of the format: sign, exponent, mantissa. */
inline double decode(DType dtype, uint32_t bits) {
  const int exponentBits = dtype == DType::kF16 ? 5 : 8;
  const int mantissaBits = dtype == DType::kF16 ? 10 : dtype == DType::kBF16 ? 7 : 23;
  const int bias = (1 << (exponentBits - 1)) - 1;
  const double sign = bits >> (exponentBits + mantissaBits) & 1 ? -1 : 1;
  const int exponent = static_cast<int>(bits >> mantissaBits & ((1u << exponentBits) - 1));
  const double mantissa = static_cast<double>(bits & ((1u << mantissaBits) - 1));
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
  return sign * std::ldexp(mantissa + std::ldexp(1, mantissaBits), exponent - bias - mantissaBits);
}

/** Random weights of any dtype at an odd address, with their values beside them. */
struct RandomWeight {
  std::vector<uint8_t> storage;
  std::vector<double> values;
  Weight weight;

  RandomWeight(std::mt19937& random, DType dtype, size_t rows, size_t cols, size_t misalignment = 1)
      : storage(rows * cols * bytesOf(dtype) + misalignment), values(rows * cols) {
    uint8_t* data = storage.data() + misalignment;
    for (size_t i = 0; i < values.size(); i++) {
      const uint32_t sign = random() & 1, noise = random();
      uint32_t bits;
      // Exponents around 1, and for f16 now and then a subnormal.
      if (dtype == DType::kF16) {
        bits = sign << 15 | (random() % 16 == 0 ? 0 : 12 + noise % 4) << 10 | (noise >> 8 & 0x3ff);
      } else if (dtype == DType::kBF16) {
        bits = sign << 15 | (124 + noise % 4) << 7 | (noise >> 8 & 0x7f);
      } else {
        bits = sign << 31 | (124 + noise % 4) << 23 | (noise >> 8 & 0x7fffff);
      }
      values[i] = decode(dtype, bits);
      std::memcpy(data + i * bytesOf(dtype), &bits, bytesOf(dtype));
    }
    weight = {data, dtype, rows, cols};
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
