// What the kernels of linear are launched with, and the sizes that launch and kernels agree on.
#pragma once

#include "operands.h"

namespace airllm {

/** Warps of a block, columns of out that it makes, and columns of the weight that a warp takes at a time. */
constexpr int kLinearWarps = 8;
constexpr size_t kLinearRows = 16;
constexpr size_t kLinearChunk = 256;
/** Tiles of 8 rows of x in the kernels for many. */
constexpr int kLinearManyTiles = 4;
/** Columns of out and rows of x that a block makes in the kernels for more than those. */
constexpr int kTileColumns = 128;
constexpr int kTileRows = 64;

struct LinearArguments {
  Matrix x;
  Weight weight;
  Weight bias;
  Matrix out;
  /** Of the weight's rows, which out is divided by; or null. */
  const float* lengths;
  /** Operands rounded to bfloat16. */
  bool fast;
};

struct RowLengthsArguments {
  Weight weight;
  float* lengths;
};

}  // namespace airllm
