// GPTQ and AWQ, 4 bits, to float32: (q − z) · scale, exact, with z and scale for each group of rows.
//   gptq4: words [K / 8, N], nibble i is row 8j + i; zeros [groups, N / 8], nibble i is column 8j + i, plus
//   one mod 16 awq4:  words [K, N / 8], nibble i is column 8j + (0, 2, 4, 6, 1, 3, 5, 7)[i]; zeros likewise
#pragma once

#include "half.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Columns whose zeros and scales are unpacked together. */
constexpr size_t kGroupColumns = 64;

inline uint32_t wordAt(const uint8_t* words, size_t index) {
  uint32_t word;
  memcpy(&word, words + index * sizeof word, sizeof word);
  return word;
}

/** Eight columns of each word, which AWQ holds in its own order. */
template <bool Awq>
inline void unpackColumns(const uint8_t* words, size_t index, size_t count, int32_t* __restrict out) {
  constexpr uint32_t kShifts[8] = {
      0, Awq ? 16 : 4, Awq ? 4 : 8, Awq ? 20 : 12, Awq ? 8 : 16, Awq ? 24 : 20, Awq ? 12 : 24, 28};
  for (size_t c = 0; c < count; c += 8) {
    const uint32_t word = wordAt(words, index + c / 8);
    AIRLLM_UNROLL for (size_t i = 0; i < 8; i++) {
      out[c + i] = static_cast<int32_t>(word >> kShifts[i] & 15);
    }
  }
}

/** The group of a row; memory that changes under a submission cannot make it one that is not there. */
inline size_t groupOf(const Packing& packing, size_t row) {
  if (packing.rowGroups == nullptr) return row / packing.groupRows;
  const size_t group = wordAt(packing.rowGroups, row);
  return group < packing.groups ? group : packing.groups - 1;
}

/** Rows [row, row + rows), columns [col, col + count), multiples of 8; rows of `out` are `stride` apart. */
template <bool Awq>
void decodeGroups(const Weight& weight, size_t row, size_t rows, size_t col, size_t count, float* out,
                  size_t stride) {
  const Packing& packing = weight.packing;
  const size_t cols = weight.cols;
  for (size_t c = 0; c < count; c += kGroupColumns) {
    const size_t n = count - c < kGroupColumns ? count - c : kGroupColumns;
    const size_t first = col + c;
    int32_t zeros[kGroupColumns], q[kGroupColumns];
    float scales[kGroupColumns];
    size_t unpacked = SIZE_MAX;
    for (size_t r = row; r < row + rows; r++) {
      const size_t group = groupOf(packing, r);
      if (group != unpacked) {
        unpacked = group;
        unpackColumns<Awq>(packing.zeros, (group * cols + first) / 8, n, zeros);
        if (!Awq) {
          for (size_t i = 0; i < n; i++) zeros[i] = (zeros[i] + 1) & 15;
        }
        for (size_t i = 0; i < n; i++) {
          scales[i] = factorAt(packing.factors, packing.factorDType, group * cols + first + i);
        }
      }
      if (Awq) {
        unpackColumns<Awq>(weight.data, (r * cols + first) / 8, n, q);
      } else {
        const uint8_t* words = weight.data + (r / 8 * cols + first) * sizeof(uint32_t);
        const uint32_t shift = 4 * (r % 8);
        for (size_t i = 0; i < n; i++) q[i] = static_cast<int32_t>(wordAt(words, i) >> shift & 15);
      }
      float* to = out + (r - row) * stride + c;
      for (size_t i = 0; i < n; i++) to[i] = static_cast<float>(q[i] - zeros[i]) * scales[i];
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
