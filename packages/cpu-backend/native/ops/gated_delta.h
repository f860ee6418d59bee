// gatedDelta: the gated delta rule (arXiv 2412.06464), row by row. Per value head h with key head
// h / (valueHeads / keyHeads) and S [keyDim, valueDim] of the sequence's slot:
//   q, k ← divided by sqrt(Σ² + 1e-6);  g = exp(−exp(aLog) · softplus(a + dtBias));  β = sigmoid(b)
//   S ← g · S;  S ← S + k ⊗ β · (v − kᵀS);  out = qᵀS / sqrt(keyDim)
//   q, k [T, keyHeads · keyDim], v, out [T, valueHeads · valueDim], a, b [T, valueHeads] float32; out
//   elsewhere aLog, dtBias [valueHeads] of any dtype; state [valueHeads, keyDim, valueDim] float32 per slot
// Units are (sequence, value head). Vectors run over valueDim, sums over keyDim ascending; S is float32
// between rows wherever a pass ends, so that a prompt has the same bits in one pass and in many.
#pragma once

#include <math.h>

#include "../simd/weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Vectors of columns that go through the keys together. */
constexpr size_t kDeltaVectors = 4;

/** What one row does to one head's state. */
struct DeltaStep {
  const float* key;
  const float* query;
  float decay;
  float rate;
  float outScale;
};

/** Divides by sqrt(Σ² + 1e-6). */
inline void toUnitLength(const float* x, size_t count, float* unit) {
  F squares = zero();
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) squares = fma(load(x + i), load(x + i), squares);
  if (i < count) squares = fma(loadPartial(x + i, count - i), loadPartial(x + i, count - i), squares);
  const float scale = 1.0f / sqrtf(sum(squares) + 1e-6f);
  for (i = 0; i < count; i++) unit[i] = x[i] * scale;
}

/** V vectors of columns, the last of `n` lanes: state rows valueDim apart. */
template <size_t V>
inline void deltaColumns(const DeltaStep& step, size_t keyDim, size_t valueDim, size_t n, float* state,
                         const float* v, float* out) {
  const auto loadAt = [n](const float* p, size_t j) {
    return j + 1 < V || n == kLanes ? load(p + j * kLanes) : loadPartial(p + j * kLanes, n);
  };
  const auto storeAt = [n](float* p, size_t j, F value) {
    return j + 1 < V || n == kLanes ? store(p + j * kLanes, value) : storePartial(p + j * kLanes, value, n);
  };
  const F decay = set1(step.decay);
  F sums[V];
  AIRLLM_UNROLL for (size_t j = 0; j < V; j++) sums[j] = zero();
  for (size_t i = 0; i < keyDim; i++) {
    const F key = set1(step.key[i]);
    AIRLLM_UNROLL for (size_t j = 0; j < V; j++) {
      sums[j] = fma(key, mul(decay, loadAt(state + i * valueDim, j)), sums[j]);
    }
  }
  F change[V];
  AIRLLM_UNROLL for (size_t j = 0; j < V; j++) {
    change[j] = mul(set1(step.rate), sub(loadAt(v, j), sums[j]));
    sums[j] = zero();
  }
  for (size_t i = 0; i < keyDim; i++) {
    float* row = state + i * valueDim;
    const F key = set1(step.key[i]), query = set1(step.query[i]);
    AIRLLM_UNROLL for (size_t j = 0; j < V; j++) {
      const F value = fma(key, change[j], mul(decay, loadAt(row, j)));
      storeAt(row, j, value);
      sums[j] = fma(query, value, sums[j]);
    }
  }
  AIRLLM_UNROLL for (size_t j = 0; j < V; j++) storeAt(out, j, mul(sums[j], set1(step.outScale)));
}

inline void deltaRow(const DeltaStep& step, size_t keyDim, size_t valueDim, float* state, const float* v,
                     float* out) {
  size_t c = 0;
  for (; c + kDeltaVectors * kLanes <= valueDim; c += kDeltaVectors * kLanes) {
    deltaColumns<kDeltaVectors>(step, keyDim, valueDim, kLanes, state + c, v + c, out + c);
  }
  for (; c < valueDim; c += kLanes) {
    const size_t n = valueDim - c < kLanes ? valueDim - c : kLanes;
    deltaColumns<1>(step, keyDim, valueDim, n, state + c, v + c, out + c);
  }
}

/** exp(−exp(aLog) · softplus(x)), in double: one value per row and head. */
inline float decayOf(double aLog, double x) {
  const double softplus = fmax(x, 0.0) + log1p(exp(-fabs(x)));
  return static_cast<float>(exp(-exp(aLog) * softplus));
}

void gatedDelta(const GatedDeltaOp& op, size_t begin, size_t end, float* scratch) {
  float* key = scratch;
  float* query = scratch + op.keyDim;
  const float outScale = 1.0f / sqrtf(static_cast<float>(op.keyDim));
  for (size_t unit = begin; unit < end; unit++) {
    const SequenceRun& run = op.state.sequences[unit / op.valueHeads];
    const size_t head = unit % op.valueHeads;
    const size_t keyColumn = head / (op.valueHeads / op.keyHeads) * op.keyDim;
    const size_t stateSize = op.keyDim * op.valueDim;
    float* state = op.state.data + run.slot * op.state.slotStride + head * stateSize;
    for (size_t i = 0; run.past == 0 && i < stateSize; i++) state[i] = 0.0f;
    const double aLog = valueAt(op.aLog, 0, head), dtBias = valueAt(op.dtBias, 0, head);
    for (size_t t = run.rowStart; t < run.rowStart + run.rowCount; t++) {
      toUnitLength(op.q.data + t * op.q.stride + keyColumn, op.keyDim, query);
      toUnitLength(op.k.data + t * op.k.stride + keyColumn, op.keyDim, key);
      const double a = op.a.data[t * op.a.stride + head], b = op.b.data[t * op.b.stride + head];
      const float rate = static_cast<float>(1 / (1 + exp(-b)));
      const DeltaStep step{key, query, decayOf(aLog, a + dtBias), rate, outScale};
      deltaRow(step, op.keyDim, op.valueDim, state, op.v.data + t * op.v.stride + head * op.valueDim,
               op.out.data + t * op.out.stride + head * op.valueDim);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
