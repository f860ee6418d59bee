// linearTransposed: out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or the sum goes on from what `out`
// holds.
//   x      [T, K] float32, rows `stride` apart
//   weight [K, N] of any dtype, rows back to back at any byte address, used where it lies
//   bias   [N] of any dtype, or absent
//   out    [T, N] float32, rows `stride` apart
//
// Every output is one chain of fused multiply-adds over k ascending, which starts at the bias, at zero, or at
// `out`: it has the same bits whatever T is, however the columns are split, and in however many blocks of k
// the weight comes. Vectors run over n. kDepthStep rows of the weight are widened for one vector of columns,
// then added to all rows of `out`, which stay in cache meanwhile:
//   T ≤ 16     where they lie; the weight is read from memory once, in long runs
//   otherwise  in panels: kSumRows rows of sums and of x are packed in scratch memory, since rows of a large
//   tensor may
//              all fall on the same few lines of the cache
#pragma once

#include <string.h>

#include "../formats/decode_rows.h"
#include "../simd/weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kDepthStep = 8;
/** Rows of x whose sums run side by side. */
constexpr size_t kSumsTogether = 4;
/** Most rows that are added to where they lie. */
constexpr size_t kSumsInPlace = 16;
/** Rows of sums in scratch memory, and columns of x beside them. */
constexpr size_t kSumRows = 128;
constexpr size_t kSumDepth = 128;
static_assert(kSumRows * (kTransposedColumns + kSumDepth) <= kScratchFloats && kSumDepth % kDepthStep == 0);

/** Columns that are done before the weight's next rows: as many as keep `out` in cache, long runs for few
 * rows. */
inline size_t columnsTogether(size_t rows) { return rows <= 4 ? 1024 : 256; }

/** out[t, 0 … n) += Σᵢ x[t, i] · weights[i] for T rows. */
template <size_t K, size_t T>
inline void addProducts(const F (&weights)[K], size_t n, const float* x, size_t xStride, float* out,
                        size_t outStride) {
  const bool whole = n == kLanes;
  F sums[T];
  AIRLLM_UNROLL for (size_t t = 0; t < T; t++) {
    sums[t] = whole ? load(out + t * outStride) : loadPartial(out + t * outStride, n);
  }
  AIRLLM_UNROLL for (size_t i = 0; i < K * T; i++) {
    sums[i % T] = fma(set1(x[i % T * xStride + i / T]), weights[i / T], sums[i % T]);
  }
  AIRLLM_UNROLL for (size_t t = 0; t < T; t++) {
    if (whole) {
      store(out + t * outStride, sums[t]);
    } else {
      storePartial(out + t * outStride, sums[t], n);
    }
  }
}

/** x [rows, K] times rows [k, k + K) of the weight, columns [first, last), onto `out` [rows, last − first].
 */
template <DType D, size_t K>
inline void addDepth(const Weight& weight, size_t k, size_t first, size_t last, const Matrix& x,
                     const Matrix& out) {
  const WeightRows<D, K> w(weight, k);
  for (size_t c = first; c < last; c += kLanes) {
    const size_t n = last - c < kLanes ? last - c : kLanes;
    F weights[K];
    AIRLLM_UNROLL for (size_t i = 0; i < K; i++) prefetch(w.at(i, c) + K * w.rowBytes);
    if (n == kLanes && w.sharesScale(c, n)) {
      AIRLLM_UNROLL for (size_t i = 0; i < K; i++) weights[i] = w.loadScaled(i, c, w.scale(i, c));
    } else {
      for (size_t i = 0; i < K; i++) weights[i] = w.loadPartial(i, c, n);
    }
    float* to = out.data + (c - first);
    size_t t = 0;
    for (; t + kSumsTogether <= x.rows; t += kSumsTogether) {
      addProducts<K, kSumsTogether>(weights, n, x.data + t * x.stride, x.stride, to + t * out.stride,
                                    out.stride);
    }
    for (; t < x.rows; t++) {
      addProducts<K, 1>(weights, n, x.data + t * x.stride, x.stride, to + t * out.stride, out.stride);
    }
  }
}

/** The same for all of x, whose first column is multiplied by row `firstK` of the weight. */
template <DType D>
inline void addDepths(const Weight& weight, size_t firstK, size_t first, size_t last, const Matrix& x,
                      const Matrix& out) {
  const auto from = [&](size_t k) { return Matrix{x.data + k, x.rows, x.cols - k, x.stride}; };
  size_t k = 0;
  for (; k + kDepthStep <= x.cols; k += kDepthStep) {
    addDepth<D, kDepthStep>(weight, firstK + k, first, last, from(k), out);
  }
  for (; k < x.cols; k++) addDepth<D, 1>(weight, firstK + k, first, last, from(k), out);
}

inline void copyRows(const Matrix& from, const Matrix& to) {
  for (size_t t = 0; t < from.rows; t++) {
    memcpy(to.data + t * to.stride, from.data + t * from.stride, from.cols * sizeof(float));
  }
}

/** Columns [first, last), at most kTransposedColumns, of all rows. scratch: sums, then x. */
template <DType D>
void addPanels(const LinearTransposedOp& op, size_t first, size_t last, float* scratch) {
  const size_t depth = op.weight.rows;
  float* packed = scratch + kSumRows * kTransposedColumns;
  for (size_t t = 0; t < op.x.rows; t += kSumRows) {
    const size_t rows = op.x.rows - t < kSumRows ? op.x.rows - t : kSumRows;
    const Matrix out{op.out.data + t * op.out.stride + first, rows, last - first, op.out.stride};
    const Matrix sums{scratch, rows, last - first, kTransposedColumns};
    copyRows(out, sums);
    for (size_t k = 0; k < depth; k += kSumDepth) {
      const size_t cols = depth - k < kSumDepth ? depth - k : kSumDepth;
      const Matrix x{packed, rows, cols, kSumDepth};
      copyRows({op.x.data + t * op.x.stride + k, rows, cols, op.x.stride}, x);
      addDepths<D>(op.weight, k, first, last, x, sums);
    }
    copyRows(sums, out);
  }
}

/** What the sums of columns [first, last) start from. */
inline void startSums(const LinearTransposedOp& op, size_t first, size_t last) {
  for (size_t c = first; c < last; c++) {
    const float start = op.bias.data == nullptr ? 0.0f : valueAt(op.bias, 0, c);
    for (size_t t = 0; t < op.x.rows; t++) op.out.data[t * op.out.stride + c] = start;
  }
}

/** Rows and columns of a packed weight that are decoded together. */
constexpr size_t kPackedDepth = 64;
constexpr size_t kPackedColumns = 256;
/** Columns decoded beside them where a block of the format begins or ends elsewhere. */
constexpr size_t kMostBlock = 256;
static_assert(kPackedDepth * (kPackedColumns + 2 * kMostBlock) <= kScratchFloats &&
              kPackedDepth % kDepthStep == 0);

/** Packed weights, for any T: columns [first, last), at most kPackedColumns. scratch: decoded rows. */
void addPacked(const LinearTransposedOp& op, size_t first, size_t last, float* scratch) {
  const size_t block = decodedBlock(op.weight.dtype);
  const size_t whole = (last + block - 1) / block * block;
  const size_t start = first / block * block,
               width = (whole < op.weight.cols ? whole : op.weight.cols) - start;
  const Matrix out{op.out.data + first, op.out.rows, last - first, op.out.stride};
  for (size_t k = 0; k < op.weight.rows; k += kPackedDepth) {
    const size_t rows = op.weight.rows - k < kPackedDepth ? op.weight.rows - k : kPackedDepth;
    decodeRows(op.weight, k, rows, start, width, scratch, width);
    const Weight decoded{reinterpret_cast<const uint8_t*>(scratch), DType::kF32, rows, width};
    const Matrix x{op.x.data + k, op.x.rows, rows, op.x.stride};
    addDepths<DType::kF32>(decoded, 0, first - start, last - start, x, out);
  }
}

/** Without scratch memory for up to kSumsInPlace rows of a weight that is not packed. */
void linearTransposed(const LinearTransposedOp& op, size_t begin, size_t end, float* scratch) {
  const size_t cols = op.weight.cols;
  const size_t limit = end * kTransposedColumns < cols ? end * kTransposedColumns : cols;
  if (isPacked(op.weight.dtype)) {
    for (size_t first = begin * kTransposedColumns; first < limit; first += kPackedColumns) {
      const size_t last = limit - first < kPackedColumns ? limit : first + kPackedColumns;
      if (!op.accumulate) startSums(op, first, last);
      addPacked(op, first, last, scratch);
    }
    return;
  }
  const bool inPlace = op.x.rows <= kSumsInPlace;
  const size_t together = inPlace ? columnsTogether(op.x.rows) : kTransposedColumns;
  withDType(op.weight.dtype, [&](auto tag) {
    constexpr DType D = decltype(tag)::value;
    for (size_t first = begin * kTransposedColumns; first < limit; first += together) {
      const size_t last = limit - first < together ? limit : first + together;
      if (!op.accumulate) startSums(op, first, last);
      if (inPlace) {
        const Matrix out{op.out.data + first, op.out.rows, last - first, op.out.stride};
        addDepths<D>(op.weight, 0, first, last, op.x, out);
      } else {
        addPanels<D>(op, first, last, scratch);
      }
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
