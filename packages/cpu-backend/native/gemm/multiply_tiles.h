// The blocks of linear in bf16: a block of the weight becomes tiles once per panel of k, and all rows of x,
// 32 at a time, are multiplied by it. AIRLLM_TILES brings multiplyTiles, which knows the instructions.
#pragma once

#include "pack_tiles.h"

// The instructions.
#include AIRLLM_TILES

namespace airllm::AIRLLM_ISA {
namespace {

/** Sums of 16 weights and up to 16 rows of x to their place, with the bias. */
inline void finishTile(const LinearOp& op, const float* sums, size_t n, size_t weights, size_t t, F bias) {
  const size_t rows = op.x.rows - t < kTileSide ? op.x.rows - t : kTileSide;
  __m512i words[16];
  AIRLLM_UNROLL for (size_t i = 0; i < 16; i++) words[i] = _mm512_load_si512(sums + i * kTileSide);
  transposeWords(words);
  for (size_t r = 0; r < rows; r++) {
    const F total = add(_mm512_castsi512_ps(words[r]), bias);
    storePartial(op.out.data + (t + r) * op.out.stride + n, total, weights);
  }
}

inline F biasOf(const Weight& bias, size_t n, size_t count) {
  float values[kTileSide] = {};
  if (bias.data != nullptr) {
    for (size_t i = 0; i < count; i++) values[i] = valueAt(bias, 0, n + i);
  }
  return load(values);
}

/** Asks for the outputs of 32 weights and 32 rows of x, to be written. */
inline void prefetchOutputs(const LinearOp& op, size_t n, size_t t) {
  for (size_t row = t; row < op.x.rows && row < t + 2 * kTileSide; row++) {
    const float* out = op.out.data + row * op.out.stride + n;
    prefetchToWrite(out);
    prefetchToWrite(out + kTileSide);
  }
}

/** Sums of two rows of weights and of x, as multiplyTiles leaves them, to their places. */
inline void finishTiles(const LinearOp& op, const float* sums, size_t n, size_t weights, size_t t) {
  for (size_t i = 0; i < 2 && i * kTileSide < weights; i++, n += kTileSide) {
    const size_t count = weights - i * kTileSide < kTileSide ? weights - i * kTileSide : kTileSide;
    const F bias = biasOf(op.bias, n, count);
    for (size_t j = 0; j < 2 && t + j * kTileSide < op.x.rows; j++) {
      finishTile(op, sums + (2 * i + j) * kTileSums, n, count, t + j * kTileSide, bias);
    }
  }
}

/** A block of the weight against rows [t, t + 32) of x; `last` when no column is left after it. */
inline void multiplyRows(const LinearOp& op, const Block& block, const uint16_t* packed, size_t t, bool last,
                         FastScratch& scratch) {
  const size_t apart = packedValues(kTileSide, op.weight.cols);
  const TileRows x{packed + t * (apart / kTileSide) + block.k * kTileSide, apart, t + kTileSide < op.x.rows};
  // Sums that no other block of columns goes on from need not be kept apart.
  float* sums = scratch.sums + (last && block.k == 0 ? 0 : t * kBlockWeights);
  for (size_t k = 0; k < block.depth; k += kPanelDepth) {
    const bool lastPanel = k + kPanelDepth >= block.depth;
    const size_t depth = lastPanel ? block.depth - k : kPanelDepth;
    const TileRows rows{x.first + k * kTileSide, apart, x.two};
    // What comes after this panel: the next one, or the next rows' first.
    const uint16_t* next = lastPanel ? x.first + 2 * apart : rows.first + kPanelDepth * kTileSide;
    for (size_t i = 0; i < block.count; i += 2 * kTileSide, next += kTileValues) {
      const TileRows weights{scratch.weights + k / kPanelDepth * block.panelValues() + i * kPanelDepth,
                             kTileSide * kPanelDepth, block.count - i > kTileSide};
      float* tiles = sums + i * 2 * kTileSide;
      if (last && lastPanel) prefetchOutputs(op, block.n + i, t);
      multiplyTiles(weights, rows, (depth + kTileDepth - 1) / kTileDepth, block.k + k == 0, tiles, next);
      if (last && lastPanel) finishTiles(op, tiles, block.n + i, block.count - i, t);
    }
  }
}

/** Of four tiles each, all in the first-level cache. */
size_t products(size_t repeats, FastScratch& scratch) {
  const TileSession session;
  const TileRows rows{scratch.weights, kTileSide * kPanelDepth, true};
  const size_t panels = repeats / kPanelTiles + 1;
  for (size_t i = 0; i < panels; i++) {
    multiplyTiles(rows, rows, kPanelTiles, i == 0, scratch.sums, scratch.weights);
  }
  return panels * kPanelTiles * 4 * kTileSums * kTileDepth;
}

void linear(const LinearOp& op, const uint16_t* packed, size_t begin, size_t end, FastScratch& scratch) {
  const TileSession session;
  const size_t depth = op.weight.cols;
  for (size_t n = begin; n < end; n += kBlockWeights) {
    const size_t count = end - n < kBlockWeights ? end - n : kBlockWeights;
    for (size_t k = 0; k < depth; k += kBlockDepth) {
      const Block block{n, count, k, depth - k < kBlockDepth ? depth - k : kBlockDepth};
      packWeights(op.weight, block, scratch);
      const bool last = k + block.depth == depth;
      for (size_t t = 0; t < op.x.rows; t += 2 * kTileSide) multiplyRows(op, block, packed, t, last, scratch);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
