// lossless. bf16 [rows, cols] ↔ bytes [rows, cols] (sign and mantissa), codes [rows, 24 ⌈cols / 64⌉] (three
// bit planes per 64 columns), escapes [rows, escapeBytes] (base, then the exponents of code 7, zero padded).
#pragma once

#include <bit>

#include "../simd/bit_planes.h"
#include "tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr uint8_t kEscape = 7;

inline void storePlanes(const uint64_t* planes, uint8_t* to) {
  for (size_t i = 0; i < kLosslessGroupBytes; i++) to[i] = static_cast<uint8_t>(planes[i / 8] >> 8 * (i % 8));
}

inline void loadPlanes(const uint8_t* from, uint64_t* planes) {
  for (size_t bit = 0; bit < 3; bit++) {
    planes[bit] = 0;
    for (size_t i = 0; i < 8; i++) planes[bit] |= static_cast<uint64_t>(from[8 * bit + i]) << 8 * i;
  }
}

/** Up to 64 columns; returns the mask of those that escape. */
inline uint64_t encodeColumns(const uint8_t* source, size_t count, uint8_t base, uint8_t* bytes,
                              uint8_t* exponents, uint8_t* planeBytes) {
  uint16_t raw[kTile];
  uint8_t low[kTile], codes[kTile];
  if (count < kTile) memset(raw, 0, sizeof raw);
  copyTile<uint16_t>(raw, source, count);
  for (size_t i = 0; i < kTile; i++) low[i] = static_cast<uint8_t>((raw[i] >> 8 & 0x80) | (raw[i] & 0x7f));
  for (size_t i = 0; i < kTile; i++) exponents[i] = static_cast<uint8_t>(raw[i] >> 7);
  for (size_t i = 0; i < kTile; i++) {
    const uint8_t code = static_cast<uint8_t>(base - exponents[i]);
    codes[i] = code < kEscape ? code : kEscape;
  }
  if (count < kTile) memset(codes + count, 0, kTile - count);
  copyTile<uint8_t>(bytes, low, count);
  uint64_t planes[3];
  toPlanes(codes, planes);
  storePlanes(planes, planeBytes);
  return planes[0] & planes[1] & planes[2];
}

bool encodeLossless(const LosslessRows& rows, const uint8_t* bases, size_t begin, size_t end) {
  const size_t codeBytes = losslessCodeBytes(rows.cols);
  for (size_t row = begin; row < end; row++) {
    uint8_t* next = rows.escapes + row * rows.escapeBytes;
    uint8_t* const stop = next + rows.escapeBytes;
    *next++ = bases[row];
    for (size_t col = 0; col < rows.cols; col += kTile) {
      const size_t count = rows.cols - col < kTile ? rows.cols - col : kTile, first = row * rows.cols + col;
      uint8_t exponents[kTile];
      uint8_t* planes = rows.codes + row * codeBytes + col / kTile * kLosslessGroupBytes;
      uint64_t escaping =
          encodeColumns(rows.bf16 + 2 * first, count, bases[row], rows.bytes + first, exponents, planes);
      if (std::popcount(escaping) > stop - next) return false;
      for (; escaping != 0; escaping &= escaping - 1) *next++ = exponents[std::countr_zero(escaping)];
    }
    memset(next, 0, static_cast<size_t>(stop - next));
  }
  return true;
}

bool decodeLossless(const LosslessRows& rows, size_t begin, size_t end) {
  const size_t codeBytes = losslessCodeBytes(rows.cols);
  for (size_t row = begin; row < end; row++) {
    const uint8_t* next = rows.escapes + row * rows.escapeBytes;
    const uint8_t* const stop = next + rows.escapeBytes;
    const uint8_t base = *next++;
    for (size_t col = 0; col < rows.cols; col += kTile) {
      const size_t count = rows.cols - col < kTile ? rows.cols - col : kTile, first = row * rows.cols + col;
      uint64_t planes[3];
      loadPlanes(rows.codes + row * codeBytes + col / kTile * kLosslessGroupBytes, planes);
      uint8_t codes[kTile], exponents[kTile], low[kTile];
      fromPlanes(planes, codes);
      for (size_t i = 0; i < kTile; i++) exponents[i] = static_cast<uint8_t>(base - codes[i]);
      uint64_t escaping = planes[0] & planes[1] & planes[2];
      if (count < kTile) escaping &= (uint64_t{1} << count) - 1;
      if (std::popcount(escaping) > stop - next) return false;
      for (; escaping != 0; escaping &= escaping - 1) exponents[std::countr_zero(escaping)] = *next++;
      if (count < kTile) memset(low, 0, sizeof low);
      copyTile<uint8_t>(low, rows.bytes + first, count);
      uint16_t raw[kTile];
      for (size_t i = 0; i < kTile; i++) {
        raw[i] = static_cast<uint16_t>((low[i] & 0x80) << 8 | exponents[i] << 7 | (low[i] & 0x7f));
      }
      copyTile<uint16_t>(rows.bf16 + 2 * first, raw, count);
    }
  }
  return true;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
