// A map of 16 or 256 ascending values within [-1, 1], and how to find a value's code in it without a search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace airllm {

/**
 * The code of s is the number of midpoints between neighbours that lie strictly below s. [-1, 1] is cut into
 * buckets so narrow that each holds one midpoint at most: code = base[bucket] + (s > threshold[bucket]).
 *
 * Maps of 16 have 32 buckets of equal width, [k/16, (k+1)/16); 1 is in the last. Those of 256 are finer near
 * zero, so their buckets are the leading bits of the float: sign, exponent and six bits of the fraction.
 */
class CodeTable {
 public:
  static constexpr int32_t kLinearBuckets = 32;
  /** Magnitudes below 2⁻²³ share a bucket of each sign; 1 has one of its own. */
  static constexpr uint32_t kLeastBits = (127 - 23) << 23;
  static constexpr uint32_t kShift = 17;
  static constexpr uint32_t kFloatBuckets = 23 * 64 + 1;

  /** Throws std::invalid_argument for another length, order or spacing. */
  CodeTable(const float* map, size_t length);

  size_t length() const { return map_.size(); }
  const float* map() const { return map_.data(); }
  /** Halfway between neighbours, ascending, one fewer than values. */
  const float* midpoints() const { return midpoints_.data(); }
  /** Code of 0. */
  uint8_t zero() const { return zero_; }
  /** By bucket. */
  const float* thresholds() const { return thresholds_.data(); }
  const int32_t* bases() const { return bases_.data(); }

  /** Of s within [-1, 1], in a map of 16. */
  static int32_t linearBucketOf(float s) {
    const float sixteenths = s * 16.0f;
    const int32_t towardsZero = static_cast<int32_t>(sixteenths);
    const int32_t floor = towardsZero - (sixteenths < static_cast<float>(towardsZero) ? 1 : 0);
    return floor + 16 < kLinearBuckets ? floor + 16 : kLinearBuckets - 1;
  }

  /** Of s within [-1, 1], in a map of 256. */
  static int32_t floatBucketOf(float s) {
    uint32_t bits;
    memcpy(&bits, &s, sizeof bits);
    const uint32_t magnitude = bits & 0x7fffffffu;
    const uint32_t above = magnitude > kLeastBits ? magnitude - kLeastBits : 0;
    return static_cast<int32_t>((above >> kShift) + (bits >> 31) * kFloatBuckets);
  }

 private:
  /** `inclusive`: of the values from `low` on up to `high`; else of those above `low` up to and with `high`.
   */
  void addBucket(float low, float high, bool inclusive);

  std::vector<float> map_;
  std::vector<float> midpoints_;
  std::vector<float> thresholds_;
  std::vector<int32_t> bases_;
  uint8_t zero_ = 0;
};

}  // namespace airllm
