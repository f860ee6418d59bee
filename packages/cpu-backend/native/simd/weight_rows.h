// Rows of a weight as vectors of float32, whatever their dtype. Of f8e4m3 every value is multiplied by its
// scale and rounded to float32 first, as the reference backend does; what is made of it comes after.
#pragma once

#include "../formats/half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** N rows from row `row` on, columns counted from `col` on. */
template <DType D, size_t N>
struct WeightRows {
  const uint8_t* data;
  size_t rowBytes;

  WeightRows(const uint8_t* first, size_t bytesApart) : data(first), rowBytes(bytesApart) {}
  WeightRows(const Weight& weight, size_t row, size_t col = 0)
      : data(weight.data + (row * weight.cols + col) * kBytes<D>), rowBytes(weight.cols * kBytes<D>) {}

  const uint8_t* at(size_t i, size_t c) const { return data + i * rowBytes + c * kBytes<D>; }
  F load(size_t i, size_t c) const { return loadWeight<D>(at(i, c)); }
  F loadPartial(size_t i, size_t c, size_t n) const { return loadWeightPartial<D>(at(i, c), n); }

  // For inner loops: where n columns from c on share one scale, it is fetched once.
  static constexpr bool sharesScale(size_t, size_t) { return true; }
  F scale(size_t, size_t) const { return zero(); }
  F loadScaled(size_t i, size_t c, F) const { return load(i, c); }
};

template <size_t N>
struct WeightRows<DType::kF8E4M3, N> {
  const uint8_t* data;
  size_t rowBytes;
  size_t firstCol;
  size_t blockCols;
  unsigned shift;
  const uint8_t* scales[N];
  bool bf16;

  WeightRows(const Weight& weight, size_t row, size_t col = 0)
      : data(weight.data + row * weight.cols + col),
        rowBytes(weight.cols),
        firstCol(col),
        blockCols(weight.scales.blockCols),
        shift(weight.scales.shift),
        bf16(weight.scales.bf16) {
    const Scales& grid = weight.scales;
    for (size_t i = 0; i < N; i++) {
      scales[i] = grid.data + (grid.firstRow + row + i) / grid.blockRows * grid.cols * (bf16 ? 2 : 4);
    }
  }

  const uint8_t* at(size_t i, size_t c) const { return data + i * rowBytes + c; }
  F load(size_t i, size_t c) const {
    return mul(loadWeight<DType::kF8E4M3>(at(i, c)), factors(i, firstCol + c, kLanes));
  }
  F loadPartial(size_t i, size_t c, size_t n) const {
    return mul(loadWeightPartial<DType::kF8E4M3>(at(i, c), n), factors(i, firstCol + c, n));
  }

  bool sharesScale(size_t c, size_t n) const {
    return blockOf(firstCol + c) == blockOf(firstCol + c + n - 1);
  }
  F scale(size_t i, size_t c) const { return set1(factor(i, blockOf(firstCol + c))); }
  F loadScaled(size_t i, size_t c, F scale) const { return mul(loadWeight<DType::kF8E4M3>(at(i, c)), scale); }

 private:
  size_t blockOf(size_t col) const { return shift == kNoShift ? col / blockCols : col >> shift; }
  float factor(size_t i, size_t block) const {
    return factorAt(scales[i], bf16 ? DType::kBF16 : DType::kF32, block);
  }
  /** The factors of `n` > 0 columns; other lanes are zero or the same. */
  F factors(size_t i, size_t col, size_t n) const {
    const size_t block = blockOf(col);
    if (block == blockOf(col + n - 1)) return set1(factor(i, block));
    float lanes[kLanes] = {};
    for (size_t lane = 0; lane < n; lane++) lanes[lane] = factor(i, blockOf(col + lane));
    return ::airllm::AIRLLM_ISA::load(lanes);
  }
};

/** One value of a weight. */
AIRLLM_NOINLINE float valueAt(const Weight& weight, size_t row, size_t col) {
  float lanes[kLanes] = {};
  withDType(weight.dtype, [&](auto tag) {
    store(lanes, WeightRows<decltype(tag)::value, 1>(weight, row, col).loadPartial(0, 0, 1));
  });
  return lanes[0];
}

/** Rows [first, first + count). */
inline Weight rowsOf(const Weight& weight, size_t first, size_t count) {
  Weight rows = weight;
  withDType(weight.dtype, [&](auto tag) { rows.data += first * weight.cols * kBytes<decltype(tag)::value>; });
  rows.rows = count;
  rows.scales.firstRow += first;
  return rows;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
