// What the tests share: every kernel set of the machine, maps, random values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cpu_features.h"
#include "kernels.h"

namespace airllm::test {

inline std::vector<const Kernels*> everyKernels() {
  std::vector<const Kernels*> all;
  for (const char* name : {"scalar", "avx2", "avx512", "neon"}) {
    if (const Kernels* kernels = kernelsFor(name)) all.push_back(kernels);
  }
  return all;
}

/** Sixteen values like NF4's: 0 among them, ends at -1 and 1. */
inline std::vector<float> nibbleMap() {
  return {-1,    -0.7f, -0.53f, -0.39f, -0.28f, -0.18f, -0.09f, 0,
          0.08f, 0.16f, 0.25f,  0.34f,  0.44f,  0.56f,  0.72f,  1};
}

/** 256 values like the dynamic map's: decades of 2^i values of each sign, 0 and 1. */
inline std::vector<float> byteMap() {
  std::vector<float> map = {0, 1};
  for (int decade = 0; decade < 7; decade++) {
    const int count = 1 << decade;
    for (int i = 0; i < count; i++) {
      const auto value = static_cast<float>(std::pow(10.0, decade - 6) * (0.1 + 0.9 * (i + 0.5) / count));
      map.push_back(value);
      map.push_back(-value);
    }
  }
  std::sort(map.begin(), map.end());
  return map;
}

inline std::vector<float> gaussian(size_t count) {
  std::mt19937 generator(static_cast<uint32_t>(count));
  std::normal_distribution<float> distribution(0, 0.02f);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(generator);
  return values;
}

/** The leading halves of float32 values. */
inline std::vector<uint8_t> bf16Bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(2 * values.size());
  for (size_t i = 0; i < values.size(); i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bytes[2 * i] = static_cast<uint8_t>(bits >> 16);
    bytes[2 * i + 1] = static_cast<uint8_t>(bits >> 24);
  }
  return bytes;
}

inline const uint8_t* bytesOf(const std::vector<float>& values) {
  return reinterpret_cast<const uint8_t*>(values.data());
}

}  // namespace airllm::test
