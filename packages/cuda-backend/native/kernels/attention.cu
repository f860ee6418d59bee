// Attention over a paged cache with an online softmax (Milakov & Gimelshein 2018; Dao et al. 2022): a block
// takes heads that share their keys, of one row of the pass or of several, a warp for each head of a row.
// Keys and values pass through shared memory by tiles of 32 positions that begin at multiples of 32 and by 64
// of their columns, for all warps whose rows are of one sequence; a warp leaves out what its row does not
// see, so that what a row sums up does not depend on the rows beside it.
#include "attention_arguments.h"
#include "element.h"

namespace airllm {
namespace {

constexpr int kColumns = 64;

/** The first position that a row sees. */
DEVICE size_t firstSeen(const AttendArguments& args, size_t position) {
  const size_t end = position + 1;
  const size_t seen = args.chunk > position ? 0 : position / args.chunk * args.chunk;
  return args.window < end && end - args.window > seen ? end - args.window : seen;
}

/** Copies columns [first, first + 64) of the tile's positions to shared memory, zeros from `end` on. */
DEVICE void loadTile(const AttendArguments& args, const float* cache, size_t dim, size_t first, size_t begin,
                     size_t end, const int32_t* blocks, size_t kvHead, float (*tile)[kColumns + 1]) {
  for (unsigned i = threadIdx.x; i < kAttentionTile * kColumns; i += blockDim.x) {
    const size_t position = begin + i / kColumns, col = first + i % kColumns;
    float value = 0;
    if (position < end && col < dim) {
      const size_t block = static_cast<size_t>(blocks[position / kKvBlockTokens]);
      const size_t at = (block * args.kvHeads + kvHead) * kKvBlockTokens + position % kKvBlockTokens;
      value = cache[at * args.cacheStride + col];
    }
    tile[i / kColumns][i % kColumns] = value;
  }
}

template <int kMostColumns>
DEVICE void attendBlock(const AttendArguments& args) {
  SHARED float tile[kAttentionTile][kColumns + 1];
  SHARED float weights[kAttentionWarps][kAttentionTile];
  constexpr int kPieces = kMostColumns / kColumns;
  const int lane = laneIndex(), warp = warpIndex();
  const size_t group = args.heads / args.kvHeads, together = args.headsTogether;
  const size_t sets = (group + together - 1) / together;
  const size_t kvHead = blockIdx.y / sets, inGroup = blockIdx.y % sets * together + warp % together;
  const size_t firstRow = static_cast<size_t>(blockIdx.x) * args.rowsTogether;
  const size_t rowsEnd = smaller(firstRow + args.rowsTogether, args.q.rows);
  const bool present = inGroup < group && firstRow + warp / together < rowsEnd;
  const size_t head = kvHead * group + (present ? inGroup : 0),
               row = present ? firstRow + warp / together : firstRow;
  const size_t own = args.places[row].position, seen = firstSeen(args, own), end = own + 1;
  const float* q = args.q.data + row * args.q.stride + head * args.keyDim;

  float largest = -INFINITY, total = 0;
  float sums[kPieces][2] = {};
  // Rows of one sequence follow each other; each of them sees more than the one before.
  for (size_t from = firstRow, to = from; from < rowsEnd; from = to) {
    const int32_t* blocks = args.places[from].blocks;
    while (to < rowsEnd && args.places[to].blocks == blocks) to++;
    const size_t allSeen = firstSeen(args, args.places[from].position);
    const size_t allEnd = args.places[to - 1].position + 1;
    for (size_t begin = allSeen / kAttentionTile * kAttentionTile; begin < allEnd; begin += kAttentionTile) {
      const bool sees = present && row >= from && row < to && begin < end && begin + kAttentionTile > seen;
      float score = 0;
      for (size_t first = 0; first < args.keyDim; first += kColumns) {
        __syncthreads();
        loadTile(args, args.keys, args.keyDim, first, begin, allEnd, blocks, kvHead, tile);
        __syncthreads();
        if (!sees) continue;
        const int cols = static_cast<int>(smaller(args.keyDim - first, kColumns));
        for (int d = 0; d < cols; d++) score = fmaf(q[first + d], tile[lane][d], score);
      }
      float kept = 1;
      if (sees) {
        const size_t position = begin + lane;
        score *= args.scale;
        if (args.softcap < INFINITY) score = args.softcap * tanhf(score / args.softcap);
        if (args.slopes != nullptr) score -= args.slopes[head] * static_cast<float>(own - position);
        if (position < seen || position >= end) score = -INFINITY;
        const float peak = fmaxf(largest, warpMax(score)), weight = expf(score - peak);
        kept = expf(largest - peak);
        total = fmaf(total, kept, warpSum(weight));
        largest = peak;
        weights[warp][lane] = weight;
        warpBarrier();
      }
      // Values behind the row's own are another row's, and may be no numbers.
      const int visible = sees ? static_cast<int>(smaller(end - begin, kAttentionTile)) : 0;
      UNROLL for (int piece = 0; piece < kPieces; piece++) {
        if (static_cast<size_t>(piece) * kColumns >= args.valueDim) continue;
        __syncthreads();
        loadTile(args, args.values, args.valueDim, static_cast<size_t>(piece) * kColumns, begin, allEnd,
                 blocks, kvHead, tile);
        __syncthreads();
        UNROLL for (int half = 0; half < 2; half++) {
          float sum = sums[piece][half] * kept;
          for (int j = 0; j < visible; j++) sum = fmaf(weights[warp][j], tile[j][half * 32 + lane], sum);
          sums[piece][half] = sum;
        }
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
