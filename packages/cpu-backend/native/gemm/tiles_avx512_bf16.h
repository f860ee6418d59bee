// Tiles by AVX512_BF16: two words of 16 rows of x at a time against a word of the weight, which goes to all
// lanes.
#pragma once

#include "fast_linear.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Nothing to set up. */
class TileSession {
 public:
  TileSession() {}
};

/** Weights whose sums are in registers together, with one or two vectors of rows of x each. */
constexpr size_t kWeightsTogether = 8;

template <bool TwoRows>
inline void multiply(const uint16_t* weights, const TileRows& x, size_t steps, bool first, float* sums) {
  constexpr size_t kVectors = TwoRows ? 2 : 1;
  F acc[kWeightsTogether * kVectors];
  AIRLLM_UNROLL for (size_t i = 0; i < kWeightsTogether * kVectors; i++) {
    acc[i] = first ? zero() : load(sums + i / kVectors * kTileSide + i % kVectors * kTileSums);
  }
  for (size_t step = 0; step < steps; step++) {
    const uint16_t* w = weights + step * kTileValues;
    const uint16_t* rows = x.first + step * kTileValues;
    for (size_t pair = 0; pair < kTileDepth / 2; pair++) {
      __m512bh words[kVectors];
      AIRLLM_UNROLL for (size_t j = 0; j < kVectors; j++) {
        words[j] = (__m512bh)_mm512_load_si512(rows + j * x.apart + pair * kTileDepth);
      }
      AIRLLM_UNROLL for (size_t i = 0; i < kWeightsTogether * kVectors; i++) {
        int32_t word;
        __builtin_memcpy(&word, w + i / kVectors * kTileDepth + 2 * pair, sizeof word);
        acc[i] = _mm512_dpbf16_ps(acc[i], words[i % kVectors], (__m512bh)_mm512_set1_epi32(word));
      }
    }
  }
  AIRLLM_UNROLL for (size_t i = 0; i < kWeightsTogether * kVectors; i++) {
    store(sums + i / kVectors * kTileSide + i % kVectors * kTileSums, acc[i]);
  }
}

/** Products of `steps` tiles onto the sums, or from zero when `first`: tiles (w0, x0), (w0, x1), (w1, x0),
 * (w1, x1). */
AIRLLM_NOINLINE void multiplyTiles(const TileRows& weights, const TileRows& x, size_t steps, bool first,
                                   float* sums, const uint16_t*) {
  for (size_t i = 0; i < (weights.two ? 2 : 1) * kTileSide; i += kWeightsTogether) {
    const size_t tile = i / kTileSide, row = i % kTileSide;
    const uint16_t* w = weights.first + tile * weights.apart + row * kTileDepth;
    float* to = sums + tile * 2 * kTileSums + row * kTileSide;
    if (x.two) {
      multiply<true>(w, x, steps, first, to);
    } else {
      multiply<false>(w, x, steps, first, to);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
