// One block of keys and values against T rows of one head: scores, a step of the online softmax, weighted
// values. The arithmetic of a row is the same whatever T is.
#pragma once

#include <math.h>

#include "../simd/simd_math.h"
#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Rows that see all of a block are taken together, so that its keys and values are loaded once for them. */
constexpr size_t kRowsTogether = kTileRows < 4 ? kTileRows : 4;
constexpr size_t kKeysTogether = 4;

/** The first n < kLanes lanes, the others zero. */
inline F firstOf(F v, size_t n) {
  float lanes[kLanes];
  store(lanes, v);
  return loadPartial(lanes, n);
}

struct Softmax {
  float maximum;
  float total;
};

/** scores[t][i] = scale · q[t]·keys[i] for i in [0, count), zero for the rest of the block. */
template <size_t T>
inline void scoreKeys(const float* q, size_t qStride, const float* keys, size_t count, size_t keyDim,
                      float scale, float (&scores)[T][kKvBlockTokens]) {
  const size_t bytesApart = keyDim * sizeof(float);
  size_t i = 0;
  for (; i + kKeysTogether <= count; i += kKeysTogether) {
    Tile<kKeysTogether, T> tile;
    clear(tile);
    const WeightRows<DType::kF32, kKeysTogether> rows(reinterpret_cast<const uint8_t*>(keys + i * keyDim),
                                                      bytesApart);
    accumulateTile(rows, q, qStride, 0, keyDim, tile);
    AIRLLM_UNROLL for (size_t t = 0; t < T; t++) {
      sumFour(tile.acc[t], tile.acc[T + t], tile.acc[2 * T + t], tile.acc[3 * T + t], scores[t] + i);
    }
  }
  for (; i < count; i++) {
    Tile<1, T> tile;
    clear(tile);
    const WeightRows<DType::kF32, 1> row(reinterpret_cast<const uint8_t*>(keys + i * keyDim), bytesApart);
    accumulateTile(row, q, qStride, 0, keyDim, tile);
    for (size_t t = 0; t < T; t++) scores[t][i] = sum(tile.acc[t]);
  }
  for (size_t t = 0; t < T; t++) {
    for (size_t j = i; j < kKvBlockTokens; j++) scores[t][j] = 0;
    for (size_t j = 0; j < kKvBlockTokens; j += kLanes)
      store(scores[t] + j, mul(load(scores[t] + j), set1(scale)));
  }
}

/** The largest of the first `count` scores; the rest become −∞. */
inline float largest(float* scores, size_t count) {
  for (size_t i = count; i < kKvBlockTokens; i++) scores[i] = -INFINITY;
  float top[kKvBlockTokens / 2];
  for (size_t i = 0; i < kKvBlockTokens / 2; i++) {
    const float other = scores[i + kKvBlockTokens / 2];
    top[i] = scores[i] > other ? scores[i] : other;
  }
  for (size_t width = kKvBlockTokens / 4; width > 0; width /= 2) {
    for (size_t i = 0; i < width; i++) top[i] = top[i] > top[i + width] ? top[i] : top[i + width];
  }
  return top[0];
}

/** Scores become weights, relative to the largest so far; their sum. */
inline float weigh(float* scores, size_t count, float maximum) {
  F total = zero();
  for (size_t i = 0; i < kKvBlockTokens; i += kLanes) {
    F weights = exponential(sub(load(scores + i), set1(maximum)));
    // e to the power of −∞ is not to come from the polynomial.
    if (i + kLanes > count) weights = count > i ? firstOf(weights, count - i) : zero();
    store(scores + i, weights);
    total = add(total, weights);
  }
  return sum(total);
}

/** N vectors of columns: out[t] = out[t] · keep[t] + Σᵢ weights[t][i] · values[i]; a first block does not
 * read `out`. */
template <size_t T, size_t N>
inline void addColumns(const float* values, size_t count, size_t apart,
                       const float (&weights)[T][kKvBlockTokens], const float* keep, const bool* first,
                       float* out, size_t outStride) {
  F acc[T * N];
  AIRLLM_UNROLL for (size_t i = 0; i < T * N; i++) {
    const size_t t = i / N;
    acc[i] = first[t] ? zero() : mul(load(out + t * outStride + i % N * kLanes), set1(keep[t]));
  }
  for (size_t i = 0; i < count; i++) {
    F value[N];
    AIRLLM_UNROLL for (size_t j = 0; j < N; j++) value[j] = load(values + i * apart + j * kLanes);
    AIRLLM_UNROLL for (size_t j = 0; j < T * N; j++) acc[j] =
        fma(set1(weights[j / N][i]), value[j % N], acc[j]);
  }
  AIRLLM_UNROLL for (size_t i = 0; i < T * N; i++) store(out + i / N * outStride + i % N * kLanes, acc[i]);
}

/** The last columns of a row, fewer than a vector has. */
inline void addRestOfColumns(const float* values, size_t count, size_t apart, size_t n, const float* weights,
                             float keep, bool first, float* out) {
  F acc = first ? zero() : mul(loadPartial(out, n), set1(keep));
  for (size_t i = 0; i < count; i++) acc = fma(set1(weights[i]), loadPartial(values + i * apart, n), acc);
  storePartial(out, acc, n);
}

/** All columns of T rows; values `apart` floats apart. */
template <size_t T>
inline void addValues(const float* values, size_t count, size_t apart, size_t valueDim,
                      const float (&weights)[T][kKvBlockTokens], const float* keep, const bool* first,
                      float* out, size_t outStride) {
  constexpr size_t kVectors = T == 1 ? 4 : 2;
  size_t c = 0;
  for (; c + kVectors * kLanes <= valueDim; c += kVectors * kLanes) {
    addColumns<T, kVectors>(values + c, count, apart, weights, keep, first, out + c, outStride);
  }
  for (; c + kLanes <= valueDim; c += kLanes) {
    addColumns<T, 1>(values + c, count, apart, weights, keep, first, out + c, outStride);
  }
  if (c == valueDim) return;
  for (size_t t = 0; t < T; t++) {
    addRestOfColumns(values + c, count, apart, valueDim - c, weights[t], keep[t], first[t],
                     out + t * outStride + c);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
