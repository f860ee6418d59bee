// linear of many rows of x on tensor cores: a weight is decoded once for 64 of them.
//
//   out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n]; x [T, K], weight [N, K], bias [N], out [T, N]
//
// A block of eight warps makes 128 columns of out for 64 rows of x, 32 k at a time: its threads split both
// operands into bfloat16 terms in shared memory, then every warp multiplies 32 columns by 32 rows while the
// next 32 k are on their way. Products and chunks are added in the order of linear.h, so a row has the same
// bits here and there.
#pragma once

#include "linear.h"

namespace airllm {

/** 32 k of the rows of a tile as one term: 8 of them stand in 16 bytes, as a lane multiplies them. */
template <int kRows>
using TileTerm = Quad[kRows][4];

/** Splits 8 values of a row of a tile, the `group`th of its 32 k. */
template <int kCount, int kRows>
DEVICE void storeTerms(TileTerm<kRows> (&to)[kCount], int row, int group, const float* values, bool fast) {
  Quad terms[kTerms];
  UNROLL for (int pair = 0; pair < 4; pair++) {
    uint32_t split[kTerms];
    splitPair(values[2 * pair], values[2 * pair + 1], fast, split);
    UNROLL for (int i = 0; i < kTerms; i++) terms[i].word[pair] = split[i];
  }
  to[0][row][group] = terms[0];
  if (fast) return;
  UNROLL for (int i = 1; i < kCount; i++) to[i][row][group] = terms[i];
}

template <int kCount>
DEVICE void loadA(const TileTerm<kTileColumns> (&from)[kCount], int row, int group, FragmentA (*to)[2]) {
  UNROLL for (int i = 0; i < kCount; i++) {
    const Quad upper = from[i][row][group], lower = from[i][row + 8][group];
    UNROLL for (int pair = 0; pair < 4; pair++) {
      to[i][pair >> 1].pair[2 * (pair & 1)] = upper.word[pair];
      to[i][pair >> 1].pair[2 * (pair & 1) + 1] = lower.word[pair];
    }
  }
}

DEVICE void loadB(const TileTerm<kTileRows> (&from)[kTerms], int row, int group, FragmentB (*to)[2]) {
  UNROLL for (int i = 0; i < kTerms; i++) {
    const Quad quad = from[i][row][group];
    UNROLL for (int pair = 0; pair < 4; pair++) to[i][pair >> 1].pair[pair & 1] = quad.word[pair];
  }
}

template <DType F>
DEVICE void linearTiles(const LinearArguments& args) {
  // Tiles of 16 columns and of 8 rows that a warp makes, and threads that read 8 k of as many rows.
  constexpr int kA = 2, kB = 4, kLines = 64;
  static_assert(kTileColumns == 2 * kLines && kTileRows == kLines && kLinearChunk % 32 == 0);
  SHARED TileTerm<kTileColumns> weights[termsOf(F)];
  SHARED TileTerm<kTileRows> rows[kTerms];
  const Weight& w = args.weight;
  const int lane = laneIndex(), warp = warpIndex(), g = lane >> 2, t = lane & 3;
  const int line = static_cast<int>(threadIdx.x >> 2), group = static_cast<int>(threadIdx.x & 3);
  const size_t firstColumn = static_cast<size_t>(blockIdx.x) * kTileColumns;
  const size_t firstRow = static_cast<size_t>(blockIdx.y) * kTileRows;
  const int column = 16 * kA * (warp & 3), row = 8 * kB * (warp >> 2);
  const bool present = firstColumn + column < w.rows && firstRow + row < args.x.rows;
  RowReader<F> upper(w, smaller(firstColumn + line, w.rows - 1));
  RowReader<F> lower(w, smaller(firstColumn + line + kLines, w.rows - 1));

  float up[8] = {}, low[8] = {}, x[8] = {};
  const auto read = [&](size_t k) {
    const size_t col = k + 8 * group;
    const int count = col >= w.cols ? 0 : static_cast<int>(smaller(w.cols - col, 8));
    UNROLL for (int i = 0; i < 8; i++) up[i] = low[i] = 0;
    if (count > 0) {
      upper.read(col, count, up);
      lower.read(col, count, low);
    }
    readX(args.x, firstRow + line, col, count, x);
  };

  float totals[kA][kB][4] = {}, tile[kA][kB][4] = {};
  read(0);
  for (size_t k = 0; k < w.cols; k += 32) {
    __syncthreads();
    storeTerms(weights, line, group, up, args.fast);
    storeTerms(weights, line + kLines, group, low, args.fast);
    storeTerms(rows, line, group, x, args.fast);
    __syncthreads();
    if (k + 32 < w.cols) read(k + 32);
    if (!present) continue;
    FragmentA a[kA][kTerms][2];
    UNROLL for (int m = 0; m < kA; m++) loadA(weights, column + 16 * m + g, t, a[m]);
    UNROLL for (int n = 0; n < kB; n++) {
      FragmentB b[kTerms][2];
      loadB(rows, row + 8 * n + g, t, b);
      UNROLL for (int m = 0; m < kA; m++) { multiplyTerms<termsOf(F)>(tile[m][n], a[m], b, args.fast); }
    }
    if ((k + 32) % kLinearChunk != 0 && k + 32 < w.cols) continue;
    UNROLL for (int i = 0; i < kA * kB * 4; i++) {
      float& sum = tile[i / 4 / kB][i / 4 % kB][i % 4];
      totals[i / 4 / kB][i / 4 % kB][i % 4] += sum;
      sum = 0;
    }
  }

  UNROLL for (int m = 0; m < kA; m++) {
    UNROLL for (int n = 0; n < kB; n++) {
      UNROLL for (int j = 0; j < 4; j++) {
        storeOut(args, firstRow + row + 8 * n + 2 * t + (j & 1),
                 firstColumn + column + 16 * m + g + 8 * (j >> 1), totals[m][n][j]);
      }
    }
  }
}

}  // namespace airllm
