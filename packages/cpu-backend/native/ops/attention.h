// attention: appends k, v to a paged cache, then softmax(scale · q·kᵀ) · v per row and head.
//   q, out [T, heads · headDim]; k, v [T, kvHeads · headDim] float32; out must not overlap the others
//   keys, values [blocks, kvHeads, 16, headDim] float32; token t of a sequence lies in its block t / 16, slot
//   t % 16
// Head h reads key head h / (heads / kvHeads). A row at position p sees max(0, p − window + 1) … p.
//
// Online softmax in the order of blocks, which start at multiples of 16 of the position: what a row computes
// depends on its own position and keys alone, never on which rows share the pass.
#pragma once

#include <math.h>

#include "../simd/simd_math.h"
#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows of one key head that walk the cache together, so that a block is fetched once for all of them. */
constexpr size_t kAttentionRows = 8;
/** Query heads handled in one walk; more share a key head only in several walks. */
constexpr size_t kAttentionHeads = 16;

struct Softmax {
  float maximum;
  float total;
};

/** scores[i] = scale · q·keys[i] for i in [0, count); keys headDim apart. */
inline void scoreKeys(const float* q, const float* keys, size_t count, size_t headDim, float scale,
                      float* scores) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    Tile<4, 1> tile;
    clear(tile);
    accumulateTile<DType::kF32>(reinterpret_cast<const uint8_t*>(keys + i * headDim), headDim * sizeof(float),
                                q, 0, headDim, tile);
    for (size_t j = 0; j < 4; j++) scores[i + j] = sum(tile.acc[j]) * scale;
  }
  for (; i < count; i++) {
    Tile<1, 1> tile;
    clear(tile);
    accumulateTile<DType::kF32>(reinterpret_cast<const uint8_t*>(keys + i * headDim), 0, q, 0, headDim, tile);
    scores[i] = sum(tile.acc[0]) * scale;
  }
}

/** out = out · keep + Σᵢ weights[i] · values[i]; the first block does not read `out`. */
inline void addValues(const float* values, const float* weights, size_t count, size_t headDim, float keep,
                      bool first, float* out) {
  for (size_t c = 0; c < headDim; c += kLanes) {
    const size_t n = headDim - c < kLanes ? headDim - c : kLanes;
    const bool whole = n == kLanes;
    F acc = zero();
    if (!first) acc = mul(whole ? load(out + c) : loadPartial(out + c, n), set1(keep));
    for (size_t i = 0; i < count; i++) {
      const float* value = values + i * headDim + c;
      acc = fma(set1(weights[i]), whole ? load(value) : loadPartial(value, n), acc);
    }
    if (whole) {
      store(out + c, acc);
    } else {
      storePartial(out + c, acc, n);
    }
  }
}

/** One row, one head, `count` consecutive keys of one block. */
inline void attendBlock(const float* q, const float* keys, const float* values, size_t count, size_t headDim,
                        float scale, bool first, Softmax& state, float* out) {
  float scores[kKvBlockTokens] = {};
  scoreKeys(q, keys, count, headDim, scale, scores);
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
  for (size_t i = 0; i < count; i++) total += scores[i] == scores[i] ? weights[i] : scores[i];
  addValues(values, weights, count, headDim, keep, first, out);
  state = {maximum, total};
}

/** Rows [begin, end) of one sequence against key head `kvHead`, for query heads [head, head + heads). */
inline void attendRows(const AttentionOp& op, size_t kvHead, size_t begin, size_t end, size_t head,
                       size_t heads) {
  const size_t headDim = op.headDim;
  Softmax states[kAttentionRows][kAttentionHeads];
  const auto firstSeen = [&](size_t row) {
    const size_t position = op.places[row].position;
    return position + 1 > op.window ? position + 1 - op.window : 0;
  };
  const int32_t* blocks = op.places[begin].blocks;
  const size_t lastBlock = op.places[end - 1].position / kKvBlockTokens;
  for (size_t block = firstSeen(begin) / kKvBlockTokens; block <= lastBlock; block++) {
    const size_t blockStart = block * kKvBlockTokens;
    const size_t base = (static_cast<size_t>(blocks[block]) * op.kvHeads + kvHead) * kKvBlockTokens;
    for (size_t row = begin; row < end; row++) {
      const size_t seen = firstSeen(row);
      const size_t position = op.places[row].position;
      const size_t from = seen > blockStart ? seen - blockStart : 0;
      if (from >= kKvBlockTokens || position < blockStart) continue;
      const size_t inBlock = position - blockStart;
      const size_t count = (inBlock < kKvBlockTokens ? inBlock + 1 : kKvBlockTokens) - from;
      const size_t offset = (base + from) * headDim;
      for (size_t h = 0; h < heads; h++) {
        const size_t column = (head + h) * headDim;
        attendBlock(op.q.data + row * op.q.stride + column, op.keys + offset, op.values + offset, count,
                    headDim, op.scale, seen >= blockStart, states[row - begin][h],
                    op.out.data + row * op.out.stride + column);
      }
    }
  }
  for (size_t row = begin; row < end; row++) {
    for (size_t h = 0; h < heads; h++) {
      float* out = op.out.data + row * op.out.stride + (head + h) * headDim;
      const float inverse = 1.0f / states[row - begin][h].total;
      for (size_t c = 0; c < headDim; c++) out[c] *= inverse;
    }
  }
}

void attend(const AttentionOp& op, size_t begin, size_t end) {
  const size_t rows = op.q.rows;
  const size_t group = op.heads / op.kvHeads;
  for (size_t unit = begin; unit < end;) {
    const size_t kvHead = unit / rows;
    const size_t row = unit % rows;
    size_t count = 1;
    while (unit + count < end && row + count < rows && count < kAttentionRows &&
           op.places[row + count].blocks == op.places[row].blocks) {
      count++;
    }
    for (size_t h = 0; h < group; h += kAttentionHeads) {
      const size_t heads = group - h < kAttentionHeads ? group - h : kAttentionHeads;
      attendRows(op, kvHead, row, row + count, kvHead * group + h, heads);
    }
    unit += count;
  }
}

void appendKeysValues(const AttentionOp& op, size_t begin, size_t end) {
  for (size_t kvHead = begin; kvHead < end; kvHead++) {
    for (size_t row = 0; row < op.k.rows; row++) {
      const size_t position = op.places[row].position;
      const size_t block = static_cast<size_t>(op.places[row].blocks[position / kKvBlockTokens]);
      const size_t to =
          ((block * op.kvHeads + kvHead) * kKvBlockTokens + position % kKvBlockTokens) * op.headDim;
      const size_t column = kvHead * op.headDim;
      const float* k = op.k.data + row * op.k.stride + column;
      const float* v = op.v.data + row * op.v.stride + column;
      for (size_t c = 0; c < op.headDim; c++) {
        op.keys[to + c] = k[c];
        op.values[to + c] = v[c];
      }
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
