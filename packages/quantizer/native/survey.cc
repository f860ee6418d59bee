#include "survey.h"

#include <cstring>

namespace airllm {
namespace {

constexpr size_t kExponents = 256;
constexpr size_t kWindow = 7;
/** Neighbouring columns often have one exponent: counters of their own spare each other's stores. */
constexpr size_t kCounters = 4;

inline uint32_t exponentAt(const uint8_t* bf16, size_t i) {
  uint16_t bits;
  memcpy(&bits, bf16 + 2 * i, sizeof bits);
  return bits >> 7 & 0xffu;
}

void countExponents(const uint8_t* row, size_t cols, uint32_t* counts) {
  uint32_t counters[kCounters][kExponents] = {};
  size_t i = 0;
  for (; i + kCounters <= cols; i += kCounters) {
    for (size_t k = 0; k < kCounters; k++) counters[k][exponentAt(row, i + k)]++;
  }
  for (; i < cols; i++) counters[0][exponentAt(row, i)]++;
  for (size_t e = 0; e < kExponents; e++) {
    counts[e] = counters[0][e] + counters[1][e] + counters[2][e] + counters[3][e];
  }
}

}  // namespace

Survey surveyLossless(const uint8_t* bf16, size_t cols, uint8_t* bases, size_t begin, size_t end) {
  Survey survey;
  for (size_t row = begin; row < end; row++) {
    uint32_t counts[kExponents];
    countExponents(bf16 + 2 * row * cols, cols, counts);
    size_t held = 0, most = 0;
    for (size_t exponent = 0; exponent < kExponents; exponent++) {
      held += counts[exponent];
      if (exponent >= kWindow) held -= counts[exponent - kWindow];
      if (held < most) continue;
      most = held;
      bases[row] = static_cast<uint8_t>(exponent);
    }
    if (cols - most > survey.capacity) survey.capacity = cols - most;
    if (counts[kExponents - 1] == 0 || survey.firstNonFinite >= 0) continue;
    size_t i = row * cols;
    while (exponentAt(bf16, i) != kExponents - 1) i++;
    survey.firstNonFinite = static_cast<int64_t>(i);
  }
  return survey;
}

}  // namespace airllm
