// Rows of weights, eight columns at a time: what reads one, and the formats whose values stand alone. Values
// are those of the reference, rounded to float32 once.
#pragma once

#include "element.h"

namespace airllm {

/** Columns that are read together; a row is read from multiples of it on. */
constexpr size_t kTogether = 8;

/**
 * One row of a weight. `seek(col)` comes before the first `read` and wherever columns are left out;
 * `read(col, count, to)` gives columns [col, col + count), count ≤ 8, col a multiple of 8, zeros behind them.
 */
template <DType F>
struct RowReader;

namespace rows {

DEVICE void clear(float* to) { UNROLL for (int i = 0; i < 8; i++) to[i] = 0; }

/** Byte i of two words. */
DEVICE uint32_t byteOf(uint64_t bytes, int i) { return static_cast<uint32_t>(bytes >> 8 * i) & 255; }

/** `count` ≤ 8 bytes from any address; what lies behind them is not touched. */
DEVICE uint64_t loadUpTo8(const uint8_t* at, int count) {
  if (count == 8) return load64(at);
  uint64_t bytes = 0;
  for (int i = 0; i < count; i++) bytes |= static_cast<uint64_t>(at[i]) << 8 * i;
  return bytes;
}

/** Values of 16 bits. */
template <float (*kValue)(uint32_t)>
DEVICE void read16(const uint8_t* at, int count, float* to) {
  if (count == 8) {
    const Quad q = loadBytes16(at);
    UNROLL for (int i = 0; i < 4; i++) {
      to[2 * i] = kValue(q.word[i] & 0xffff);
      to[2 * i + 1] = kValue(q.word[i] >> 16);
    }
    return;
  }
  // No index is known at run time alone: values stay in registers.
  UNROLL for (int i = 0; i < 8; i++) to[i] = i < count ? kValue(load16(at + 2 * i)) : 0.0f;
}

struct Plain {
  const Weight& w;
  size_t row;
  DEVICE Plain(const Weight& weight, size_t r) : w(weight), row(r) {}
  DEVICE void seek(size_t) {}
};

}  // namespace rows

template <>
struct RowReader<DType::kF32> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) {
    const uint8_t* at = w.data + 4 * (row * w.cols + col);
    if (count == 8) {
      const Quad a = loadBytes16(at), b = loadBytes16(at + 16);
      UNROLL for (int i = 0; i < 4; i++) {
        to[i] = bitsToFloat(a.word[i]);
        to[4 + i] = bitsToFloat(b.word[i]);
      }
      return;
    }
    UNROLL for (int i = 0; i < 8; i++) to[i] = i < count ? loadFloat(at + 4 * i) : 0.0f;
  }
};

template <>
struct RowReader<DType::kF16> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) {
    rows::read16<f16Value>(w.data + 2 * (row * w.cols + col), count, to);
  }
};

template <>
struct RowReader<DType::kBF16> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) {
    rows::read16<bf16Value>(w.data + 2 * (row * w.cols + col), count, to);
  }
};

template <>
struct RowReader<DType::kF8E4M3> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) {
    const uint64_t bytes = rows::loadUpTo8(w.data + row * w.cols + col, count);
    rows::clear(to);
    UNROLL for (int i = 0; i < 8; i++) {
      if (i < count) to[i] = f8Value(rows::byteOf(bytes, i)) * blockScale(w.scales, row, col + i);
    }
  }
};

}  // namespace airllm
