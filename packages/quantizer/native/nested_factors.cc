#include "nested_factors.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace airllm {
namespace {

constexpr size_t kSumLanes = 8;
constexpr size_t kStreams = 4;
constexpr size_t kWidth = kSumLanes * kStreams;
constexpr size_t kLevels = 4;

void addInto(float* sums, const float* values, size_t count) {
  for (size_t i = 0; i < count; i++) sums[i] += values[i];
}

/** ⌈log₂ n⌉, 0 for n of 0 and 1. */
size_t ceilLog2(size_t n) { return n < 2 ? 0 : static_cast<size_t>(std::bit_width(n - 1)); }

}  // namespace

float torchSum(const float* values, size_t count) {
  const size_t vectors = count / kSumLanes, steps = vectors / kStreams;
  const size_t bits = std::max<size_t>(4, ceilLog2(steps) / kLevels);
  const size_t mask = (size_t{1} << bits) - 1;
  float levels[kLevels][kWidth] = {};
  for (size_t step = 1; step <= steps; step++) {
    addInto(levels[0], values + (step - 1) * kWidth, kWidth);
    if ((step & mask) != 0) continue;
    for (size_t j = 1; j < kLevels; j++) {
      addInto(levels[j], levels[j - 1], kWidth);
      std::fill_n(levels[j - 1], kWidth, 0.0f);
      if ((step >> bits * j & mask) != 0) break;
    }
  }
  float* const lanes = levels[0];
  for (size_t j = 1; j < kLevels; j++) addInto(lanes, levels[j], kWidth);
  for (size_t vector = steps * kStreams; vector < vectors; vector++) {
    addInto(lanes, values + vector * kSumLanes, kSumLanes);
  }
  for (size_t stream = 1; stream < kStreams; stream++) addInto(lanes, lanes + stream * kSumLanes, kSumLanes);
  float sum = 0;
  for (size_t i = vectors * kSumLanes; i < count; i++) sum += values[i];
  for (size_t lane = 0; lane < kSumLanes; lane++) sum += lanes[lane];
  return sum;
}

NestedResult encodeFactors(const Kernels& kernels, const CodeTable& table, const float* absmax, size_t count,
                           uint8_t* codes, float* nested) {
  NestedResult result;
  if (count == 0) return result;
  result.offset = torchSum(absmax, count) / static_cast<float>(count);
  // By pieces of whole blocks, which fit the stack.
  constexpr size_t kPiece = 16 * kNestedBlockLength;
  float centred[kPiece], decoded[kPiece];
  for (size_t first = 0; first < count; first += kPiece) {
    const size_t length = std::min(kPiece, count - first),
                 blocks = (length + kNestedBlockLength - 1) / kNestedBlockLength;
    float* const factors = nested + first / kNestedBlockLength;
    for (size_t i = 0; i < length; i++) centred[i] = absmax[first + i] - result.offset;
    const auto* source = reinterpret_cast<const uint8_t*>(centred);
    kernels.encodeCodes(
        {&table, kNestedBlockLength, SourceDType::kF32, source, codes + first, factors, length}, 0, blocks);
    kernels.decodeCodes({codes + first, table.map(), table.length(), factors, kNestedBlockLength,
                         &result.offset, decoded, length},
                        0, length);
    for (size_t i = 0; i < length; i++) {
      const double factor = absmax[first + i], difference = factor - static_cast<double>(decoded[i]);
      result.sums.source += factor * factor;
      result.sums.error += difference * difference;
      result.sums.cross += factor * difference;
      result.sums.largest = std::max(result.sums.largest, std::abs(difference));
    }
  }
  return result;
}

}  // namespace airllm
