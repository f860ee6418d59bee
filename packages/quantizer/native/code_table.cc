#include "code_table.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace airllm {
namespace {

float fromBits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

CodeTable::CodeTable(const float* map, size_t length) : map_(map, map + length) {
  if (length != 16 && length != 256) throw std::invalid_argument("Expected a map of 16 or 256 values");
  for (size_t i = 0; i + 1 < length; i++) {
    if (!(map[i] < map[i + 1])) throw std::invalid_argument("Expected an ascending map");
    midpoints_.push_back((map[i] + map[i + 1]) / 2.0f);
  }
  const float infinity = std::numeric_limits<float>::infinity();
  if (length == 16) {
    for (int32_t k = -kLinearBuckets / 2; k < kLinearBuckets / 2; k++) {
      const float high = k + 1 < kLinearBuckets / 2 ? static_cast<float>(k + 1) / 16.0f : infinity;
      addBucket(static_cast<float>(k) / 16.0f, high, true);
    }
  } else {
    const auto edge = [](uint32_t k) { return k == 0 ? 0.0f : fromBits(kLeastBits + (k << kShift)); };
    for (uint32_t k = 0; k < kFloatBuckets; k++) addBucket(edge(k), edge(k + 1), true);
    for (uint32_t k = 0; k < kFloatBuckets; k++) addBucket(-edge(k + 1), -edge(k), false);
  }
  zero_ =
      static_cast<uint8_t>(std::lower_bound(midpoints_.begin(), midpoints_.end(), 0.0f) - midpoints_.begin());
}

void CodeTable::addBucket(float low, float high, bool inclusive) {
  const auto begin = midpoints_.begin(), end = midpoints_.end();
  const auto first = inclusive ? std::lower_bound(begin, end, low) : std::upper_bound(begin, end, low);
  const auto last = inclusive ? std::lower_bound(begin, end, high) : std::upper_bound(begin, end, high);
  if (last - first > 1) throw std::invalid_argument("Expected a map with wider spacing");
  bases_.push_back(static_cast<int32_t>(first - begin));
  thresholds_.push_back(last > first ? *first : std::numeric_limits<float>::infinity());
}

}  // namespace airllm
