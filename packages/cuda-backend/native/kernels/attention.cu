// Attention over a paged cache with an online softmax (Milakov & Gimelshein 2018; Dao et al. 2022): a block
// takes one row of the pass and eight heads that share their keys, a warp each. Keys and values pass through
// shared memory by tiles of 32 positions that begin at multiples of 32 and by 64 of their columns, so that
// what a row sums up does not depend on the rows beside it.
#include "attention_arguments.h"
#include "element.h"

namespace airllm {
namespace {

constexpr int kColumns = 64;

/** Copies columns [first, first + 64) of the tile's positions to shared memory, zeros outside of the row's
 * past. */
DEVICE void loadTile(const AttendArguments& args, const float* cache, size_t dim, size_t first, size_t begin,
                     size_t end, const RowPlace& place, size_t kvHead, float (*tile)[kColumns + 1]) {
  for (unsigned i = threadIdx.x; i < kAttentionTile * kColumns; i += blockDim.x) {
    const size_t position = begin + i / kColumns, col = first + i % kColumns;
    float value = 0;
    if (position < end && col < dim) {
      const size_t block = static_cast<size_t>(place.blocks[position / kKvBlockTokens]);
      const size_t at = (block * args.kvHeads + kvHead) * kKvBlockTokens + position % kKvBlockTokens;
      value = cache[at * args.cacheStride + col];
    }
    tile[i / kColumns][i % kColumns] = value;
  }
}

template <int kMostColumns>
DEVICE void attendBlock(const AttendArguments& args) {
  SHARED float tile[kAttentionTile][kColumns + 1];
  SHARED float weights[kAttentionHeads][kAttentionTile];
  constexpr int kPieces = kMostColumns / kColumns;
  const size_t group = args.heads / args.kvHeads, sets = (group + kAttentionHeads - 1) / kAttentionHeads;
  const size_t kvHead = blockIdx.y / sets, inGroup = blockIdx.y % sets * kAttentionHeads + warpIndex();
  const bool present = inGroup < group;
  const size_t head = kvHead * group + (present ? inGroup : 0), row = blockIdx.x;
  const RowPlace place = args.places[row];
  const int lane = laneIndex(), warp = warpIndex();
  const float* q = args.q.data + row * args.q.stride + head * args.keyDim;
  const size_t end = place.position + 1;
  size_t seen = args.chunk > place.position ? 0 : place.position / args.chunk * args.chunk;
  if (args.window < end && end - args.window > seen) seen = end - args.window;

  float largest = -INFINITY, total = 0;
  float sums[kPieces][2] = {};
  for (size_t begin = seen / kAttentionTile * kAttentionTile; begin < end; begin += kAttentionTile) {
    float score = 0;
    for (size_t first = 0; first < args.keyDim; first += kColumns) {
      __syncthreads();
      loadTile(args, args.keys, args.keyDim, first, begin, end, place, kvHead, tile);
      __syncthreads();
      const int cols = static_cast<int>(smaller(args.keyDim - first, kColumns));
      for (int d = 0; d < cols; d++) score = fmaf(q[first + d], tile[lane][d], score);
    }
    const size_t position = begin + lane;
    score *= args.scale;
    if (args.softcap < INFINITY) score = args.softcap * tanhf(score / args.softcap);
    if (args.slopes != nullptr) score -= args.slopes[head] * static_cast<float>(place.position - position);
    if (position < seen || position >= end) score = -INFINITY;
    const float peak = fmaxf(largest, warpMax(score));
    const float kept = expf(largest - peak), weight = expf(score - peak);
    total = fmaf(total, kept, warpSum(weight));
    largest = peak;
    weights[warp][lane] = weight;
    warpBarrier();
    UNROLL for (int piece = 0; piece < kPieces; piece++) {
      if (static_cast<size_t>(piece) * kColumns >= args.valueDim) continue;
      __syncthreads();
      loadTile(args, args.values, args.valueDim, static_cast<size_t>(piece) * kColumns, begin, end, place,
               kvHead, tile);
      __syncthreads();
      UNROLL for (int half = 0; half < 2; half++) {
        float sum = sums[piece][half] * kept;
        for (int j = 0; j < kAttentionTile; j++) sum = fmaf(weights[warp][j], tile[j][half * 32 + lane], sum);
        sums[piece][half] = sum;
      }
    }
  }

  float factor = 1.0f;
  if (args.sinks.data != nullptr) {
    const float sink = elementAt(args.sinks, 0, head), peak = fmaxf(largest, sink);
    factor = expf(largest - peak);
    total = fmaf(total, factor, expf(sink - peak));
  }
  if (!present) return;
  float* out = args.out.data + row * args.out.stride + head * args.valueDim;
  UNROLL for (int piece = 0; piece < kPieces; piece++) {
    UNROLL for (int half = 0; half < 2; half++) {
      const size_t col = static_cast<size_t>(piece) * kColumns + half * 32 + lane;
      if (col < args.valueDim) out[col] = sums[piece][half] * factor / total;
    }
  }
}

}  // namespace
}  // namespace airllm

using namespace airllm;

KERNEL(attend_128, AttendArguments) { attendBlock<128>(args); }
KERNEL(attend_256, AttendArguments) { attendBlock<256>(args); }
KERNEL(attend_576, AttendArguments) { attendBlock<576>(args); }

/** A thread for each element of the rows. */
KERNEL(append_rows, AppendArguments) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = i / args.rows.cols, col = i % args.rows.cols;
  if (row >= args.rows.rows) return;
  const RowPlace place = args.places[row];
  const size_t head = col / args.dim,
               block = static_cast<size_t>(place.blocks[place.position / kKvBlockTokens]);
  const size_t at = (block * args.kvHeads + head) * kKvBlockTokens + place.position % kKvBlockTokens;
  args.cache[at * args.dim + col % args.dim] = args.rows.data[row * args.rows.stride + col];
}
