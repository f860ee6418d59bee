// linearTransposed: out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or the sum goes on from what `out` holds.
//   x      [T, K] float32, rows `stride` apart
//   weight [K, N] of any dtype, rows back to back at any byte address, used where it lies
//   bias   [N] of any dtype, or absent
//   out    [T, N] float32, rows `stride` apart
//
// Every output is one chain of fused multiply-adds over k ascending, which starts at the bias, at zero, or at `out`: it
// has the same bits whatever T is, however the columns are split, and in however many blocks of k the weight comes.
// Vectors run over n. kDepthStep rows of the weight are widened for one vector of columns, then added to all rows of
// `out`, which stays in cache meanwhile; so the weight is read from memory once for any T.
#pragma once

#include "../simd/weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kDepthStep = 8;
/** Rows of x whose sums run side by side. */
constexpr size_t kSumsTogether = 4;

/** Columns that are done before the weight's next rows: as many as keep `out` in cache, long runs for few rows. */
inline size_t columnsTogether(size_t rows) { return rows <= 4 ? 1024 : rows <= 32 ? 256 : kTransposedColumns; }

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

/** K rows of the weight from k on, columns [first, last). */
template <DType D, size_t K>
inline void addDepth(const LinearTransposedOp& op, size_t k, size_t first, size_t last) {
  const WeightRows<D, K> w(op.weight, k);
  const size_t rows = op.x.rows;
  const size_t xStride = op.x.stride, outStride = op.out.stride;
  for (size_t c = first; c < last; c += kLanes) {
    const size_t n = last - c < kLanes ? last - c : kLanes;
    F weights[K];
    AIRLLM_UNROLL for (size_t i = 0; i < K; i++) {
      prefetch(w.at(i, c) + K * w.rowBytes);
      weights[i] = n == kLanes ? w.load(i, c) : w.loadPartial(i, c, n);
    }
    const float* x = op.x.data + k;
    float* out = op.out.data + c;
    size_t t = 0;
    for (; t + kSumsTogether <= rows; t += kSumsTogether) {
      addProducts<K, kSumsTogether>(weights, n, x + t * xStride, xStride, out + t * outStride, outStride);
    }
    for (; t < rows; t++) {
      addProducts<K, 1>(weights, n, x + t * xStride, xStride, out + t * outStride, outStride);
    }
  }
}

/** What the sums of columns [first, last) start from. */
inline void startSums(const LinearTransposedOp& op, size_t first, size_t last) {
  for (size_t c = first; c < last; c++) {
    const float start = op.bias.data == nullptr ? 0.0f : valueAt(op.bias, 0, c);
    for (size_t t = 0; t < op.x.rows; t++) op.out.data[t * op.out.stride + c] = start;
  }
}

void linearTransposed(const LinearTransposedOp& op, size_t begin, size_t end) {
  const size_t cols = op.weight.cols;
  const size_t depth = op.weight.rows;
  const size_t limit = end * kTransposedColumns < cols ? end * kTransposedColumns : cols;
  const size_t together = columnsTogether(op.x.rows);
  withDType(op.weight.dtype, [&](auto tag) {
    constexpr DType D = decltype(tag)::value;
    for (size_t first = begin * kTransposedColumns; first < limit; first += together) {
      const size_t last = limit - first < together ? limit : first + together;
      if (!op.accumulate) startSums(op, first, last);
      size_t k = 0;
      for (; k + kDepthStep <= depth; k += kDepthStep) addDepth<D, kDepthStep>(op, k, first, last);
      for (; k < depth; k++) addDepth<D, 1>(op, k, first, last);
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
