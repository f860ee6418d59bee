// The walk over a paged cache that the kinds of attention share: softmax(scores) · values for rows of one
// sequence and heads that share their keys.
//   q      [rows, heads, keyDim]; out [rows, heads, valueDim] float32, rows qStride and outStride apart
//   keys   token t of a sequence lies in its block t / 16, slot t % 16: blocks blockStride apart, slots
//   keyDim apart values the same places, of which the first valueDim values count
//
// Online softmax in the order of blocks, which start at multiples of 16 of the position: what a row computes
// depends on its own position and keys alone, never on which rows share the pass.
#pragma once

#include <math.h>

#include "attention_block.h"
#include "softcap.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows that walk the cache together, so that a block is fetched once for all of them. */
constexpr size_t kAttentionRows = 8;
/** Heads handled in one walk; more share a key head only in several walks. */
constexpr size_t kAttentionHeads = 16;

struct Walk {
  const float* q;
  size_t qStride;
  float* out;
  size_t outStride;
  size_t heads;
  const float* keys;
  const float* values;
  size_t blockStride;
  size_t keyDim;
  size_t valueDim;
  float scale;
  size_t window;
  size_t chunk;
  float softcap;
  /** One per head, or null. */
  const float* slopes;
  /** [heads of the op] and the number of the first head, or absent. */
  Weight sinks;
  size_t firstHead;
};

/** The first position that a row at `position` sees. */
inline size_t firstSeen(const Walk& walk, size_t position) {
  const size_t inWindow = position >= walk.window ? position - walk.window + 1 : 0;
  const size_t inChunk = position - position % walk.chunk;
  return inWindow > inChunk ? inWindow : inChunk;
}

/** Scores of keys that begin `distance` positions before the row, capped and biased; room for kKvBlockTokens.
 */
inline void adjustScores(const Walk& walk, size_t head, size_t distance, float* scores) {
  if (walk.softcap < INFINITY) {
    const F cap = set1(walk.softcap);
    for (size_t i = 0; i < kKvBlockTokens; i += kLanes) store(scores + i, capped(load(scores + i), cap));
  }
  if (walk.slopes != nullptr) {
    const float slope = walk.slopes[head];
    for (size_t i = 0; i < kKvBlockTokens; i++) {
      scores[i] += slope * (static_cast<float>(i) - static_cast<float>(distance));
    }
  }
}

/** Divides by the total of the softmax, in which the head's sink takes part. */
inline void finishHead(const Walk& walk, size_t row, size_t head, Softmax state) {
  float* out = walk.out + row * walk.outStride + head * walk.valueDim;
  float factor = 1.0f / state.total;
  if (walk.sinks.data != nullptr) {
    const float sink = valueAt(walk.sinks, 0, walk.firstHead + head);
    const float maximum = sink > state.maximum ? sink : state.maximum;
    const float keep = expf(state.maximum - maximum);
    factor = keep / (state.total * keep + expf(sink - maximum));
  }
  for (size_t c = 0; c < walk.valueDim; c++) out[c] *= factor;
}

/** Rows whose walk is at one block: which of them see all of it is known before any is computed. */
struct BlockView {
  size_t offset;
  size_t start;

  /** Positions of the block that a row sees: [from, from + count); none when count is 0. */
  struct Seen {
    size_t from;
    size_t count;
    bool first;
  };
  Seen seenBy(const Walk& walk, size_t position) const {
    const size_t seen = firstSeen(walk, position);
    const size_t from = seen > start ? seen - start : 0;
    if (from >= kKvBlockTokens || position < start) return {0, 0, false};
    const size_t inBlock = position - start;
    return {from, (inBlock < kKvBlockTokens ? inBlock + 1 : kKvBlockTokens) - from, seen >= start};
  }
};

/** What the sums of earlier blocks are worth beside this one, for T rows of every head: e to the power of how
 * much the largest score grew. */
template <size_t T>
inline void keepSums(const Walk& walk, const BlockView::Seen* seen, size_t row,
                     float (*scores)[T][kKvBlockTokens], Softmax (*states)[kAttentionHeads], float* keep) {
  for (size_t i = 0; i < walk.heads * T; i++) {
    Softmax& state = states[row + i % T][i / T];
    const float found = largest(scores[i / T][i % T], seen[i % T].count);
    const float maximum = !seen[i % T].first && state.maximum > found ? state.maximum : found;
    keep[i] = seen[i % T].first ? 0.0f : state.maximum - maximum;
    state.maximum = maximum;
  }
  for (size_t i = 0; i < walk.heads * T; i += kLanes) store(keep + i, exponential(load(keep + i)));
}

/** T rows from `row` on at one block, which they see alike. Stages go over all heads, whose chains are
 * independent. */
template <size_t T>
inline void attendView(const Walk& walk, const RowPlace* places, const BlockView& view, size_t row,
                       const BlockView::Seen* seen, Softmax (*states)[kAttentionHeads]) {
  float scores[kAttentionHeads][T][kKvBlockTokens];
  float keep[(kAttentionHeads * T + kLanes - 1) / kLanes * kLanes] = {};
  const size_t offset = view.offset + seen->from * walk.keyDim, count = seen->count;
  bool first[T];
  for (size_t t = 0; t < T; t++) first[t] = seen[t].first;
  for (size_t head = 0; head < walk.heads; head++) {
    scoreKeys<T>(walk.q + row * walk.qStride + head * walk.keyDim, walk.qStride, walk.keys + offset, count,
                 walk.keyDim, walk.scale, scores[head]);
    for (size_t t = 0; t < T; t++) {
      adjustScores(walk, head, places[row + t].position - view.start - seen[t].from, scores[head][t]);
    }
  }
  keepSums<T>(walk, seen, row, scores, states, keep);
  for (size_t i = 0; i < walk.heads * T; i++) {
    Softmax& state = states[row + i % T][i / T];
    const float added = weigh(scores[i / T][i % T], count, state.maximum);
    state.total = first[i % T] ? added : state.total * keep[i] + added;
  }
  for (size_t head = 0; head < walk.heads; head++) {
    addValues<T>(walk.values + offset, count, walk.keyDim, walk.valueDim, scores[head], keep + head * T,
                 first, walk.out + row * walk.outStride + head * walk.valueDim, walk.outStride);
  }
}

/** `rows` ≤ kAttentionRows rows of one sequence; walk.heads ≤ kAttentionHeads. */
inline void attendRows(const Walk& walk, const RowPlace* places, size_t rows) {
  Softmax states[kAttentionRows][kAttentionHeads];
  const int32_t* blocks = places[0].blocks;
  const size_t lastBlock = places[rows - 1].position / kKvBlockTokens;
  for (size_t block = firstSeen(walk, places[0].position) / kKvBlockTokens; block <= lastBlock; block++) {
    const BlockView view{static_cast<size_t>(blocks[block]) * walk.blockStride, block * kKvBlockTokens};
    BlockView::Seen seen[kAttentionRows];
    for (size_t row = 0; row < rows; row++) seen[row] = view.seenBy(walk, places[row].position);
    for (size_t row = 0; row < rows;) {
      size_t whole = 0;
      while (whole < kRowsTogether && row + whole < rows && seen[row + whole].count == kKvBlockTokens)
        whole++;
      if (whole == kRowsTogether) {
        attendView<kRowsTogether>(walk, places, view, row, seen + row, states);
        row += kRowsTogether;
      } else {
        if (seen[row].count > 0) attendView<1>(walk, places, view, row, seen + row, states);
        row++;
      }
    }
  }
  for (size_t row = 0; row < rows; row++) {
    for (size_t head = 0; head < walk.heads; head++) finishHead(walk, row, head, states[row][head]);
  }
}

/** How many of the `rows` rows at `places` belong to the sequence of the first one and may walk together. */
inline size_t rowsTogether(const RowPlace* places, size_t rows) {
  size_t count = 1;
  while (count < rows && count < kAttentionRows && places[count].blocks == places[0].blocks) count++;
  return count;
}

/** Copies columns [column, column + dim) of every row to its place in a pool whose blocks lie blockStride
 * apart. */
inline void appendRows(const Matrix& from, size_t column, size_t dim, const RowPlace* places, float* pool,
                       size_t blockStride) {
  for (size_t row = 0; row < from.rows; row++) {
    const size_t position = places[row].position;
    const size_t block = static_cast<size_t>(places[row].blocks[position / kKvBlockTokens]);
    const float* values = from.data + row * from.stride + column;
    float* to = pool + block * blockStride + position % kKvBlockTokens * dim;
    for (size_t c = 0; c < dim; c++) to[c] = values[c];
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
