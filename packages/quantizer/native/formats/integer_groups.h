// int8 and int4. source [rows, cols] → codes, scales [rows, ⌈cols / 128⌉]. int8: the largest magnitude
// becomes 127. int4: the value of the largest magnitude, the positive one of two, becomes -8.
#pragma once

#include "tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Adding and taking away 1.5 · 2²³ rounds to the nearest integer, ties to even, within ± 2²². */
constexpr float kRounder = 12582912.0f;

inline float roundToEven(float value) { return (value + kRounder) - kRounder; }

/** Rounds, clamps, and keeps the code as a float: what it stands for in units of the scale. */
template <IntegerFormat Format>
inline void codeTile(const float* scaled, float* coded) {
  constexpr float kLeast = Format == IntegerFormat::kInt8 ? -127.0f : -8.0f;
  constexpr float kMost = Format == IntegerFormat::kInt8 ? 127.0f : 7.0f;
  for (size_t i = 0; i < kTile; i++) {
    const float rounded = roundToEven(scaled[i]);
    const float low = rounded < kLeast ? kLeast : rounded;
    coded[i] = low > kMost ? kMost : low;
  }
}

template <IntegerFormat Format>
inline void storeTile(const float* coded, uint8_t* to, size_t count) {
  constexpr int32_t kZero = Format == IntegerFormat::kInt8 ? 0 : 8;
  uint8_t bytes[kTile];
  for (size_t i = 0; i < kTile; i++) bytes[i] = static_cast<uint8_t>(static_cast<int32_t>(coded[i]) + kZero);
  if constexpr (Format == IntegerFormat::kInt8) {
    copyTile<uint8_t>(to, bytes, count);
  } else {
    storeNibbles<false>(bytes, to, count);
  }
}

/** Of `absmax`, finite: the value that one code step stands for. */
template <IntegerFormat Format>
inline float scaleOf(float absmax, bool positive) {
  if constexpr (Format == IntegerFormat::kInt8) return absmax / 127.0f;
  return (positive ? absmax : -absmax) / -8.0f;
}

template <SourceDType D, IntegerFormat Format>
void encodeGroup(const uint8_t* source, size_t count, uint8_t* codes, float* scale, LaneSums& lanes) {
  float x[2 * kTile], coded[kTile];
  MaxBits most;
  for (size_t tile = 0; tile < count; tile += kTile) {
    loadTile<D>(source + tile * sizeOf(D), count - tile < kTile ? count - tile : kTile, x + tile);
    most.add(x + tile);
  }
  const uint32_t absmaxBits = most.value();
  float factor = floatFromBits(0x7fc00000u);
  if (absmaxBits < kInfinityBits) {
    const float absmax = floatFromBits(absmaxBits);
    int32_t positive = 0;
    for (size_t tile = 0; tile < count; tile += kTile) {
      for (size_t i = 0; i < kTile; i++) positive += x[tile + i] == absmax ? 1 : 0;
    }
    factor = scaleOf<Format>(absmax, positive > 0);
  }
  *scale = factor;
  const bool coding = factor < 0 || factor > 0;
  for (size_t tile = 0; tile < count; tile += kTile) {
    if (coding) {
      for (size_t i = 0; i < kTile; i++) x[tile + i] /= factor;
    } else {
      memset(x + tile, 0, kTile * sizeof(float));
    }
    codeTile<Format>(x + tile, coded);
    lanes.add(x + tile, coded);
    const size_t left = count - tile < kTile ? count - tile : kTile;
    storeTile<Format>(coded, codes + (Format == IntegerFormat::kInt8 ? tile : tile / 2), left);
  }
  lanes.endBlock(coding ? factor : 0.0f);
}

template <SourceDType D, IntegerFormat Format>
ErrorSums encodeGroups(const EncodeIntegers& job, size_t begin, size_t end) {
  const size_t groups = (job.cols + kGroupCols - 1) / kGroupCols;
  ErrorSums sums;
  LaneSums lanes;
  for (size_t row = begin; row < end; row++) {
    for (size_t group = 0; group < groups; group++) {
      const size_t col = group * kGroupCols, first = row * job.cols + col;
      const size_t count = job.cols - col < kGroupCols ? job.cols - col : kGroupCols;
      const uint8_t* source = job.source + first * sizeOf(D);
      float* scale = job.scales + row * groups + group;
      encodeGroup<D, Format>(source, count, job.codes + (Format == IntegerFormat::kInt8 ? first : first / 2),
                             scale, lanes);
      if (*scale != *scale && sums.firstNonFinite < 0) {
        sums.firstNonFinite = static_cast<int64_t>(first + firstNonFiniteOf<D>(source, count));
      }
    }
  }
  lanes.addTo(sums);
  return sums;
}

template <IntegerFormat Format>
ErrorSums encodeGroupsFrom(const EncodeIntegers& job, size_t begin, size_t end) {
  switch (job.dtype) {
    case SourceDType::kF32:
      return encodeGroups<SourceDType::kF32, Format>(job, begin, end);
    case SourceDType::kF16:
      return encodeGroups<SourceDType::kF16, Format>(job, begin, end);
    default:
      return encodeGroups<SourceDType::kBF16, Format>(job, begin, end);
  }
}

ErrorSums encodeIntegers(const EncodeIntegers& job, size_t begin, size_t end) {
  return job.format == IntegerFormat::kInt8 ? encodeGroupsFrom<IntegerFormat::kInt8>(job, begin, end)
                                            : encodeGroupsFrom<IntegerFormat::kInt4>(job, begin, end);
}

void decodeIntegers(const DecodeIntegers& job, size_t begin, size_t end) {
  const size_t groups = (job.cols + kGroupCols - 1) / kGroupCols;
  for (size_t row = begin; row < end; row++) {
    for (size_t group = 0; group < groups; group++) {
      const size_t col = group * kGroupCols, first = row * job.cols + col;
      const size_t count = job.cols - col < kGroupCols ? job.cols - col : kGroupCols;
      const float scale = job.scales[row * groups + group];
      float* to = job.to + first;
      if (job.format == IntegerFormat::kInt8) {
        const uint8_t* codes = job.codes + first;
        for (size_t i = 0; i < count; i++) to[i] = static_cast<float>(static_cast<int8_t>(codes[i])) * scale;
      } else {
        const uint8_t* codes = job.codes + first / 2;
        for (size_t i = 0; i < count / 2; i++) {
          to[2 * i] = static_cast<float>((codes[i] & 15) - 8) * scale;
          to[2 * i + 1] = static_cast<float>((codes[i] >> 4) - 8) * scale;
        }
      }
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
