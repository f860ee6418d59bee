// Rows of weights in packed formats, eight columns at a time; their bytes are described in packing.ts of the
// contract.
#pragma once

#include "row_reader.h"

namespace airllm {

/** d f16, 32 × int8. */
template <>
struct RowReader<DType::kQ8> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const uint8_t* at = w.data + (row * w.cols + col) / 32 * 34;
    const float d = f16Value(load16(at));
    const uint64_t bytes = load64(at + 2 + col % 32);
    UNROLL for (int i = 0; i < 8; i++) to[i] = d * static_cast<int8_t>(rows::byteOf(bytes, i));
  }
};

/** d f16, 16 bytes: low nibbles are the first 16 values, high ones the others. */
template <>
struct RowReader<DType::kQ4> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const uint8_t* at = w.data + (row * w.cols + col) / 32 * 18;
    const float d = f16Value(load16(at));
    const uint64_t bytes = load64(at + 2 + col % 16) >> (col % 32 < 16 ? 0 : 4);
    UNROLL for (int i = 0; i < 8; i++) to[i] = d * (static_cast<int>(rows::byteOf(bytes, i) & 15) - 8);
  }
};

/** d, dmin f16, 12 bytes of scales and minima, 128 of nibbles. All but the last subtraction is exact. */
template <>
struct RowReader<DType::kQ4K> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const uint8_t* at = w.data + (row * w.cols + col) / 256 * 144;
    const size_t run = col % 256 / 32;
    const uint8_t* packed = at + 4;
    const uint32_t scale = run < 4 ? packed[run] & 63 : (packed[run + 4] & 15) | packed[run - 4] >> 6 << 4;
    const uint32_t least = run < 4 ? packed[run + 4] & 63 : packed[run + 4] >> 4 | packed[run] >> 6 << 4;
    const float d = f16Value(load16(at)) * static_cast<float>(scale);
    const float m = f16Value(load16(at + 2)) * static_cast<float>(least);
    const uint64_t bytes = load64(at + 16 + 32 * (run / 2) + col % 32) >> (run % 2 == 0 ? 0 : 4);
    UNROLL for (int i = 0; i < 8; i++) to[i] =
        __fadd_rn(__fmul_rn(d, static_cast<float>(rows::byteOf(bytes, i) & 15)), -m);
  }
};

/** 128 bytes of low nibbles, 64 of high pairs of bits, 16 × int8 scales, d f16. */
template <>
struct RowReader<DType::kQ6K> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const uint8_t* at = w.data + (row * w.cols + col) / 256 * 210;
    const size_t index = col % 256, half = index / 128, j = index / 32 % 4, i0 = index % 32;
    const uint64_t low = load64(at + 64 * half + 32 * (j & 1) + i0) >> (j < 2 ? 0 : 4);
    const uint64_t high = load64(at + 128 + 32 * half + i0) >> 2 * j;
    const float d = f16Value(load16(at + 208)) * static_cast<int8_t>(at[192 + index / 16]);
    UNROLL for (int i = 0; i < 8; i++) {
      const uint32_t q = (rows::byteOf(low, i) & 15) | (rows::byteOf(high, i) & 3) << 4;
      to[i] = d * (static_cast<int>(q) - 32);
    }
  }
};

/** 4-bit floats, a power of two for each 32 of them. */
template <>
struct RowReader<DType::kMxFp4> : rows::Plain {
  using Plain::Plain;
  DEVICE static float magnitude(uint32_t q) {
    // 0, 0.5, 1, 1.5, 2, 3, 4, 6 in halves.
    return static_cast<float>(0xc8643210u >> 4 * (q & 7) & 15) * 0.5f;
  }
  DEVICE void read(size_t col, int, float* to) {
    const size_t index = row * w.cols + col;
    const uint32_t s = w.packing.factors[index / 32];
    // 2^(s − 127) from its exponent; s = 0 is subnormal, 255 no number.
    const float scale = bitsToFloat(s == 255 ? 0x7fc00000u : s == 0 ? 0x00400000u : s << 23);
    const uint32_t bytes = load32(w.data + index / 2);
    UNROLL for (int i = 0; i < 8; i++) {
      const uint32_t q = bytes >> 4 * i & 15;
      const float value = magnitude(q) * scale;
      to[i] = q & 8 ? -value : value;
    }
  }
};

namespace rows {

/** Codes of bitsandbytes: factor of a block of elements. */
DEVICE float codeFactor(const Packing& p, size_t block) {
  if (p.nestedCodes == nullptr) return loadFloat(p.factors + 4 * block);
  const float outer = loadFloat(p.nestedFactors + 4 * ((p.nestedFirst + block) / p.nestedBlock));
  const float code = loadFloat(p.nestedCodes + 4 * p.factors[block]);
  return __fadd_rn(__fmul_rn(code, outer), p.nestedOffset);
}

template <int kBits>
DEVICE void readCodes(const Weight& w, size_t row, size_t col, int count, float* to) {
  const Packing& p = w.packing;
  const size_t first = row * w.cols + col;
  const bool odd = kBits == 4 && first % 2 == 1;
  // Eight nibbles that begin within a byte end within a ninth half of one.
  const int bytesNeeded = kBits == 8 ? count : (count + (odd ? 1 : 0) + 1) / 2;
  const uint64_t bytes = loadUpTo8(w.data + (kBits == 8 ? first : first / 2), bytesNeeded);
  size_t block = (p.first + first) / p.blockLength;
  size_t left = (block + 1) * p.blockLength - (p.first + first);
  float factor = codeFactor(p, block);
  clear(to);
  UNROLL for (int i = 0; i < 8; i++) {
    if (i >= count) continue;
    if (left == 0) {
      factor = codeFactor(p, ++block);
      left = p.blockLength;
    }
    left--;
    const int nibble = i + (odd ? 1 : 0);
    const uint32_t q =
        kBits == 8 ? byteOf(bytes, i) : byteOf(bytes, nibble >> 1) >> (nibble & 1 ? 0 : 4) & 15;
    to[i] = __fmul_rn(loadFloat(p.codes + 4 * q), factor);
  }
}

/** Groups of rows: GPTQ and AWQ. */
DEVICE size_t groupOf(const Packing& p, size_t row) {
  if (p.rowGroups == nullptr) return row / p.groupRows;
  return smaller(load32(p.rowGroups + 4 * row), p.groups - 1);
}

}  // namespace rows

template <>
struct RowReader<DType::kCode4> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) { rows::readCodes<4>(w, row, col, count, to); }
};

template <>
struct RowReader<DType::kCode8> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) { rows::readCodes<8>(w, row, col, count, to); }
};

/** Words of eight rows of one column; zeros are words of eight columns, minus one. */
template <>
struct RowReader<DType::kGptq> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const Packing& p = w.packing;
    const size_t group = rows::groupOf(p, row);
    const uint8_t* words = w.data + 4 * (row / 8 * w.cols + col);
    const Quad a = loadBytes16(words), b = loadBytes16(words + 16);
    const uint32_t zeros = load32(p.zeros + 4 * (group * (w.cols / 8) + col / 8));
    UNROLL for (int i = 0; i < 8; i++) {
      const int q = (i < 4 ? a.word[i & 3] : b.word[i & 3]) >> 4 * (row & 7) & 15;
      const int zero = ((zeros >> 4 * i & 15) + 1) & 15;
      to[i] = static_cast<float>(q - zero) * factorAt(p.factors, p.factorDType, group * w.cols + col + i);
    }
  }
};

/** Words of eight columns in the order 0, 2, 4, 6, 1, 3, 5, 7. */
template <>
struct RowReader<DType::kAwq> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int, float* to) {
    const Packing& p = w.packing;
    const size_t group = rows::groupOf(p, row), at = w.cols / 8;
    const uint32_t word = load32(w.data + 4 * (row * at + col / 8));
    const uint32_t zeros = load32(p.zeros + 4 * (group * at + col / 8));
    UNROLL for (int i = 0; i < 8; i++) {
      const int shift = 4 * (i % 2 * 4 + i / 2);
      const int q = word >> shift & 15, zero = zeros >> shift & 15;
      to[i] = static_cast<float>(q - zero) * factorAt(p.factors, p.factorDType, group * w.cols + col + i);
    }
  }
};

namespace rows {

DEVICE float intScale(const Weight& w, size_t row, size_t col) {
  const size_t groups = (w.cols - 1) / w.packing.groupCols + 1;
  return loadFloat(w.packing.factors + 4 * (row * groups + col / w.packing.groupCols));
}

template <int kBits>
DEVICE void readIntegers(const Weight& w, size_t row, size_t col, int count, float* to) {
  const size_t first = row * w.cols + col;
  const uint64_t bytes = loadUpTo8(w.data + (kBits == 8 ? first : first / 2), kBits == 8 ? count : count / 2);
  const bool oneGroup = w.packing.groupCols % kTogether == 0;
  const float scale = intScale(w, row, col);
  clear(to);
  UNROLL for (int i = 0; i < 8; i++) {
    if (i >= count) continue;
    const int q =
        kBits == 8 ? static_cast<int8_t>(byteOf(bytes, i)) : static_cast<int>(bytes >> 4 * i & 15) - 8;
    to[i] = static_cast<float>(q) * (oneGroup ? scale : intScale(w, row, col + i));
  }
}

}  // namespace rows

template <>
struct RowReader<DType::kInt8> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) { rows::readIntegers<8>(w, row, col, count, to); }
};

template <>
struct RowReader<DType::kInt4> : rows::Plain {
  using Plain::Plain;
  DEVICE void read(size_t col, int count, float* to) { rows::readIntegers<4>(w, row, col, count, to); }
};

/** bfloat16 with exponents in three bits. Escapes are counted from the start of the row: `escapes` of them
 * lie before `group`. */
template <>
struct RowReader<DType::kBf16z> : rows::Plain {
  using Plain::Plain;
  size_t group = 0;
  size_t escapes = 0;

  DEVICE const uint8_t* planes(size_t of) const {
    return w.packing.codes + (row * ((w.cols - 1) / kLosslessGroup + 1) + of) * kLosslessGroupBytes;
  }
  DEVICE void moveTo(size_t to) {
    for (; group < to; group++) {
      const uint8_t* p = planes(group);
      escapes += bitCount(load64(p) & load64(p + 8) & load64(p + 16));
    }
  }
  DEVICE void seek(size_t col) { moveTo(col / kLosslessGroup); }
  DEVICE void read(size_t col, int count, float* to) {
    moveTo(col / kLosslessGroup);
    const uint8_t* p = planes(group);
    const uint64_t a = load64(p), b = load64(p + 8), c = load64(p + 16);
    const unsigned at = col % kLosslessGroup;
    const uint8_t* escaped = w.packing.factors + row * w.packing.escapeBytes;
    size_t next = 1 + escapes + bitCount(a & b & c & ((uint64_t{1} << at) - 1));
    const uint64_t bytes = rows::loadUpTo8(w.data + row * w.cols + col, count);
    rows::clear(to);
    UNROLL for (int i = 0; i < 8; i++) {
      if (i >= count) continue;
      const uint32_t code =
          static_cast<uint32_t>((a >> (at + i) & 1) | (b >> (at + i) & 1) << 1 | (c >> (at + i) & 1) << 2);
      uint32_t exponent = (escaped[0] - code) & 255;
      if (code == 7) {
        exponent = next < w.packing.escapeBytes ? escaped[next] : 0;
        next++;
      }
      const uint32_t byte = rows::byteOf(bytes, i);
      to[i] = bitsToFloat((byte & 128) << 24 | exponent << 23 | (byte & 127) << 16);
    }
  }
};

}  // namespace airllm
