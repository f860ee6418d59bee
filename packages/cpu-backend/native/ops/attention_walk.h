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

#include "../simd/tile.h"
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

struct Softmax {
  float maximum;
  float total;
};

/** The first position that a row at `position` sees. */
inline size_t firstSeen(const Walk& walk, size_t position) {
  const size_t inWindow = position >= walk.window ? position - walk.window + 1 : 0;
  const size_t inChunk = position - position % walk.chunk;
  return inWindow > inChunk ? inWindow : inChunk;
}

/** scores[i] = scale · q·keys[i] for i in [0, count); keys keyDim apart. */
inline void scoreKeys(const float* q, const float* keys, size_t count, size_t keyDim, float scale,
                      float* scores) {
  const size_t bytesApart = keyDim * sizeof(float);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    Tile<4, 1> tile;
    clear(tile);
    const WeightRows<DType::kF32, 4> rows(reinterpret_cast<const uint8_t*>(keys + i * keyDim), bytesApart);
    accumulateTile(rows, q, 0, 0, keyDim, tile);
    for (size_t j = 0; j < 4; j++) scores[i + j] = sum(tile.acc[j]) * scale;
  }
  for (; i < count; i++) {
    Tile<1, 1> tile;
    clear(tile);
    const WeightRows<DType::kF32, 1> row(reinterpret_cast<const uint8_t*>(keys + i * keyDim), bytesApart);
    accumulateTile(row, q, 0, 0, keyDim, tile);
    scores[i] = sum(tile.acc[0]) * scale;
  }
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

/** out = out · keep + Σᵢ weights[i] · values[i], values `apart` floats apart; the first block does not read
 * `out`. */
inline void addValues(const float* values, const float* weights, size_t count, size_t apart, size_t valueDim,
                      float keep, bool first, float* out) {
  for (size_t c = 0; c < valueDim; c += kLanes) {
    const size_t n = valueDim - c < kLanes ? valueDim - c : kLanes;
    const bool whole = n == kLanes;
    F acc = zero();
    if (!first) acc = mul(whole ? load(out + c) : loadPartial(out + c, n), set1(keep));
    for (size_t i = 0; i < count; i++) {
      const float* value = values + i * apart + c;
      acc = fma(set1(weights[i]), whole ? load(value) : loadPartial(value, n), acc);
    }
    if (whole) {
      store(out + c, acc);
    } else {
      storePartial(out + c, acc, n);
    }
  }
}

/** One row, one head, `count` consecutive keys of one block from `offset` on, `distance` positions before the
 * row. */
inline void attendBlock(const Walk& walk, size_t row, size_t head, size_t offset, size_t count,
                        size_t distance, bool first, Softmax& state) {
  float* out = walk.out + row * walk.outStride + head * walk.valueDim;
  float scores[kKvBlockTokens] = {};
  scoreKeys(walk.q + row * walk.qStride + head * walk.keyDim, walk.keys + offset, count, walk.keyDim,
            walk.scale, scores);
  adjustScores(walk, head, distance, scores);
  float maximum = first ? scores[0] : state.maximum;
  for (size_t i = 0; i < count; i++) maximum = scores[i] > maximum ? scores[i] : maximum;
  float exponents[kKvBlockTokens + kLanes] = {};
  for (size_t i = 0; i < count; i++) exponents[i] = scores[i] - maximum;
  exponents[kKvBlockTokens] = first ? 0.0f : state.maximum - maximum;
  float weights[kKvBlockTokens + kLanes];
  for (size_t i = 0; i < kKvBlockTokens + kLanes; i += kLanes) {
    store(weights + i, exponential(load(exponents + i)));
  }
  const float keep = weights[kKvBlockTokens];
  float total = first ? 0.0f : state.total * keep;
  for (size_t i = 0; i < count; i++) total += weights[i];
  addValues(walk.values + offset, weights, count, walk.keyDim, walk.valueDim, keep, first, out);
  state = {maximum, total};
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

/** `rows` ≤ kAttentionRows rows of one sequence; walk.heads ≤ kAttentionHeads. */
inline void attendRows(const Walk& walk, const RowPlace* places, size_t rows) {
  Softmax states[kAttentionRows][kAttentionHeads];
  const int32_t* blocks = places[0].blocks;
  const size_t lastBlock = places[rows - 1].position / kKvBlockTokens;
  for (size_t block = firstSeen(walk, places[0].position) / kKvBlockTokens; block <= lastBlock; block++) {
    const size_t blockStart = block * kKvBlockTokens;
    const size_t base = static_cast<size_t>(blocks[block]) * walk.blockStride;
    for (size_t row = 0; row < rows; row++) {
      const size_t position = places[row].position;
      const size_t seen = firstSeen(walk, position);
      const size_t from = seen > blockStart ? seen - blockStart : 0;
      if (from >= kKvBlockTokens || position < blockStart) continue;
      const size_t inBlock = position - blockStart;
      const size_t count = (inBlock < kKvBlockTokens ? inBlock + 1 : kKvBlockTokens) - from;
      for (size_t head = 0; head < walk.heads; head++) {
        attendBlock(walk, row, head, base + from * walk.keyDim, count, inBlock - from, seen >= blockStart,
                    states[row][head]);
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
