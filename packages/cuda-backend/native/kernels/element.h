// Values of the formats whose values stand alone.
#pragma once

#include "bytes.h"

namespace airllm {

DEVICE float bf16Value(uint32_t bits) { return bitsToFloat(bits << 16); }

/** IEEE binary16, subnormals included: its exponent is moved by a multiplication, which is exact. */
DEVICE float f16Value(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7fff;
  const uint32_t sign = (bits & 0x8000) << 16;
  if (magnitude >= 0x7c00) return bitsToFloat(sign | 0x7f800000u | (magnitude & 0x3ff) << 13);
  return bitsToFloat(sign | floatToBits(bitsToFloat(magnitude << 13) * 0x1p112f));
}

/** OCP FP8 e4m3: no infinities, 0x7f and 0xff are no numbers. */
DEVICE float f8Value(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7f;
  const uint32_t sign = (bits & 0x80) << 24;
  if (magnitude == 0x7f) return bitsToFloat(0x7fc00000u);
  return bitsToFloat(sign | floatToBits(bitsToFloat(magnitude << 20) * 0x1p120f));
}

/** Factor of element (row, col) of a weight in f8e4m3. */
DEVICE float blockScale(const Scales& s, size_t row, size_t col) {
  const size_t index =
      (s.firstRow + row) / s.blockRows * s.cols + (s.shift == kNoShift ? col / s.blockCols : col >> s.shift);
  return s.bf16 ? bf16Value(load16(s.data + 2 * index)) : loadFloat(s.data + 4 * index);
}

/** Element (row, col) of a weight of single values. */
DEVICE float elementAt(const Weight& w, size_t row, size_t col) {
  const size_t i = row * w.cols + col;
  switch (w.dtype) {
    case DType::kF32:
      return loadFloat(w.data + 4 * i);
    case DType::kF16:
      return f16Value(load16(w.data + 2 * i));
    case DType::kBF16:
      return bf16Value(load16(w.data + 2 * i));
    default:
      return f8Value(w.data[i]) * blockScale(w.scales, row, col);
  }
}

/** A factor of a packed weight in f32, f16 or bf16. */
DEVICE float factorAt(const uint8_t* data, DType dtype, size_t i) {
  switch (dtype) {
    case DType::kF32:
      return loadFloat(data + 4 * i);
    case DType::kF16:
      return f16Value(load16(data + 2 * i));
    default:
      return bf16Value(load16(data + 2 * i));
  }
}

}  // namespace airllm
