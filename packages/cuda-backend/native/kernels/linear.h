// linear on tensor cores, one kernel for each format and for few or many rows of x.
//
//   out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n]; x [T, K], weight [N, K], bias [N], out [T, N]
//
// A block of eight warps makes 16 columns of out for 8 · kTiles rows. Its warps take chunks of 256 k in turn:
// a lane reads 8 columns of two weight rows (16 bytes each in bfloat16) and of one row of x for every tile,
// which are two steps of m16n8k16 with their k in another order, the same for both operands. Sums of chunks
// are added in the order of k, so a row of x has the same bits whatever the rows beside it, in every kernel
// of a format.
#pragma once

#include "linear_arguments.h"
#include "rows.h"
#include "terms.h"

namespace airllm {

/** How many bfloat16 terms hold every value of a format exactly. */
constexpr int termsOf(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kBf16z ? 1 : dtype == DType::kF16 ? 2 : 3;
}

/** Eight values of a row of x, zeros outside of it. */
DEVICE void readX(const Matrix& x, size_t row, size_t col, int count, float* to) {
  const float* at = x.data + row * x.stride + col;
  if (row < x.rows && count == 8 && (alignmentOf(at) & 15) == 0) {
    const Quad a = loadQuad(reinterpret_cast<const uint8_t*>(at)),
               b = loadQuad(reinterpret_cast<const uint8_t*>(at + 4));
    UNROLL for (int i = 0; i < 4; i++) {
      to[i] = bitsToFloat(a.word[i]);
      to[4 + i] = bitsToFloat(b.word[i]);
    }
    return;
  }
  UNROLL for (int i = 0; i < 8; i++) to[i] = row < x.rows && i < count ? at[i] : 0.0f;
}

/**
 * tile += a · b over 32 k, small products first. Terms i and j are 2^−8(i + j) of the product: past the third
 * they are below float32. With `fast` the first terms alone.
 */
template <int kWeightTerms>
DEVICE void multiplyTerms(float (&tile)[4], const FragmentA (*a)[2], const FragmentB (*b)[2], bool fast) {
  UNROLL for (int half = 0; half < 2; half++) {
    if (!fast) {
      UNROLL for (int order = kTerms - 1; order > 0; order--) {
        UNROLL for (int i = 0; i < kWeightTerms; i++) {
          if (i <= order) multiplyFragments(tile, a[i][half], b[order - i][half]);
        }
      }
    }
    multiplyFragments(tile, a[0][half], b[0][half]);
  }
}

/** What a sum of products becomes: divided by its weight row's length where that is asked for, and the bias
 * on top. */
DEVICE void storeOut(const LinearArguments& args, size_t row, size_t n, float sum) {
  if (row >= args.x.rows || n >= args.weight.rows) return;
  if (args.lengths != nullptr) sum /= args.lengths[n];
  if (args.bias.data != nullptr) sum += elementAt(args.bias, 0, n);
  args.out.data[row * args.out.stride + n] = sum;
}

template <DType F, int kTiles>
DEVICE void linearBlock(const LinearArguments& args) {
  constexpr int kWeightTerms = termsOf(F);
  SHARED float sums[kLinearWarps][kTiles][128];
  const Weight& w = args.weight;
  const int lane = laneIndex(), warp = warpIndex(), g = lane >> 2, t = lane & 3;
  const size_t firstRow = static_cast<size_t>(blockIdx.x) * kLinearRows;
  const size_t firstX = static_cast<size_t>(blockIdx.y) * 8 * kTiles;
  const size_t chunks = (w.cols + kLinearChunk - 1) / kLinearChunk;
  // Rows past the last are computed like it, and not stored.
  RowReader<F> upper(w, smaller(firstRow + g, w.rows - 1));
  RowReader<F> lower(w, smaller(firstRow + g + 8, w.rows - 1));
  float totals[kTiles] = {};

  for (size_t base = 0; base < chunks; base += kLinearWarps) {
    const size_t chunk = base + warp;
    float tile[kTiles][4] = {};
    if (chunk < chunks) {
      const size_t begin = chunk * kLinearChunk, end = smaller(begin + kLinearChunk, w.cols);
      upper.seek(begin);
      lower.seek(begin);
      for (size_t k = begin; k < end; k += 32) {
        const size_t col = k + 8 * t;
        const int count = col >= end ? 0 : static_cast<int>(smaller(end - col, 8));
        float up[8] = {}, low[8] = {};
        if (count > 0) {
          upper.read(col, count, up);
          lower.read(col, count, low);
        }
        FragmentA a[kTerms][2];
        UNROLL for (int pair = 0; pair < 4; pair++) {
          uint32_t upTerms[kTerms], lowTerms[kTerms];
          splitPair(up[2 * pair], up[2 * pair + 1], args.fast, upTerms);
          splitPair(low[2 * pair], low[2 * pair + 1], args.fast, lowTerms);
          UNROLL for (int i = 0; i < kWeightTerms; i++) {
            a[i][pair >> 1].pair[2 * (pair & 1)] = upTerms[i];
            a[i][pair >> 1].pair[2 * (pair & 1) + 1] = lowTerms[i];
          }
        }
        UNROLL for (int n = 0; n < kTiles; n++) {
          float x[8];
          readX(args.x, firstX + 8 * n + g, col, count, x);
          FragmentB b[kTerms][2];
          UNROLL for (int pair = 0; pair < 4; pair++) {
            uint32_t xTerms[kTerms];
            splitPair(x[2 * pair], x[2 * pair + 1], args.fast, xTerms);
            UNROLL for (int i = 0; i < kTerms; i++) b[i][pair >> 1].pair[pair & 1] = xTerms[i];
          }
          multiplyTerms<kWeightTerms>(tile[n], a, b, args.fast);
        }
      }
    }
    UNROLL for (int n = 0; n < kTiles; n++) {
      UNROLL for (int j = 0; j < 4; j++) sums[warp][n][lane * 4 + j] = tile[n][j];
    }
    __syncthreads();
    if (threadIdx.x < 128) {
      const size_t present = smaller(chunks - base, kLinearWarps);
      UNROLL for (int n = 0; n < kTiles; n++) {
        for (size_t i = 0; i < present; i++) totals[n] += sums[i][n][threadIdx.x];
      }
    }
    __syncthreads();
  }

  if (threadIdx.x >= 128) return;
  const int owner = threadIdx.x >> 2, j = threadIdx.x & 3;
  UNROLL for (int i = 0; i < kTiles; i++) {
    storeOut(args, firstX + 8 * i + 2 * (owner & 3) + (j & 1), firstRow + (owner >> 2) + 8 * (j >> 1),
             totals[i]);
  }
}

}  // namespace airllm
