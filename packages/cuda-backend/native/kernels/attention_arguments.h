// What the kernels of attention are launched with.
#pragma once

#include "operands.h"

namespace airllm {

/** Warps of a block, at most: one for each head of a row. */
constexpr int kAttentionWarps = 8;
/** Positions whose keys and values a block holds at a time. */
constexpr int kAttentionTile = 32;
/** Columns of values that the kernels keep in registers, at most. */
constexpr int kAttentionColumns[] = {128, 256, 576};

/**
 * Rows of queries over a paged cache. Keys of a position are `keyDim` columns, values `valueDim`; rows of
 * both lie `cacheStride` apart, in blocks of kKvBlockTokens for each of kvHeads. q [T, heads · keyDim], out
 * [T, heads · valueDim].
 */
struct AttendArguments {
  Matrix q;
  Matrix out;
  const float* keys;
  const float* values;
  size_t heads;
  size_t kvHeads;
  size_t keyDim;
  size_t valueDim;
  size_t cacheStride;
  float scale;
  size_t window;
  size_t chunk;
  float softcap;
  Weight sinks;
  const float* slopes;
  const RowPlace* places;
  /** Heads of one group, and rows of the pass, that a block takes. */
  size_t headsTogether;
  size_t rowsTogether;
};

/** Copies rows [T, kvHeads · dim] behind what their sequences have in a cache [blocks, kvHeads, 16, dim]. */
struct AppendArguments {
  Matrix rows;
  float* cache;
  size_t kvHeads;
  size_t dim;
  const RowPlace* places;
};

/** Queries in the space of latents: [T, heads · (rank + ropeDim)], from `first` rows of the pass on. */
struct LatentQueryArguments {
  LatentAttentionOp op;
  Matrix queries;
  size_t first;
};

/** Outputs [T, heads · valueDim] of sums of latents [T, heads · rank]. */
struct LatentOutputArguments {
  LatentAttentionOp op;
  Matrix sums;
  size_t first;
};

}  // namespace airllm
