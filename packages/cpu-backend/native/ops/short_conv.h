// shortConv: out[t, c] = silu(bias[c] + Σᵢ weight[c, i] · x[t − width + 1 + i, c]) for every sequence of the
// pass.
//   x, out [T, C] float32, out elsewhere than x; weight [C, width], bias [C] of any dtype
//   inputs [width − 1, C] float32 per slot: the sequence's last inputs, oldest first; updated
// Units are blocks of kConvColumns channels. The sum starts at the bias and runs over i ascending, whatever
// part of it comes from earlier passes.
#pragma once

#include "../simd/weight_rows.h"
#include "activations.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Channels [first, first + n) of the weight as taps [width][kLanes], and of the bias. */
inline F loadTaps(const ShortConvOp& op, size_t first, size_t n, float* taps) {
  for (size_t i = 0; i < op.weight.cols; i++) {
    for (size_t c = 0; c < kLanes; c++) {
      taps[i * kLanes + c] = c < n ? valueAt(op.weight, first + c, i) : 0.0f;
    }
  }
  float bias[kLanes] = {};
  for (size_t c = 0; c < n && op.bias.data != nullptr; c++) bias[c] = valueAt(op.bias, 0, first + c);
  return load(bias);
}

/** One sequence, n channels from `first` on. */
inline void convolve(const ShortConvOp& op, const SequenceRun& run, size_t first, size_t n, const float* taps,
                     F bias) {
  const size_t kept = op.weight.cols - 1;
  const size_t channels = op.x.cols;
  float* inputs = op.inputs.data + run.slot * op.inputs.slotStride + first;
  const float* x = op.x.data + run.rowStart * op.x.stride + first;
  const auto copy = [&](const float* from, float* to) { storePartial(to, loadPartial(from, n), n); };
  if (run.past == 0) {
    for (size_t i = 0; i < kept; i++) storePartial(inputs + i * channels, zero(), n);
  }
  // Input number i, counted from the oldest one kept.
  const auto input = [&](size_t i) {
    return i < kept ? inputs + i * channels : x + (i - kept) * op.x.stride;
  };
  for (size_t t = 0; t < run.rowCount; t++) {
    F sums = bias;
    for (size_t i = 0; i <= kept; i++) {
      sums = fma(load(taps + i * kLanes), loadPartial(input(t + i), n), sums);
    }
    storePartial(op.out.data + (run.rowStart + t) * op.out.stride + first, silu(sums), n);
  }
  for (size_t i = 0; i < kept; i++) copy(input(run.rowCount + i), inputs + i * channels);
}

void shortConv(const ShortConvOp& op, size_t begin, size_t end, float* scratch) {
  const size_t limit = end * kConvColumns < op.x.cols ? end * kConvColumns : op.x.cols;
  for (size_t first = begin * kConvColumns; first < limit; first += kLanes) {
    const size_t n = limit - first < kLanes ? limit - first : kLanes;
    const F bias = loadTaps(op, first, n, scratch);
    for (size_t i = 0; i < op.inputs.sequenceCount; i++) {
      convolve(op, op.inputs.sequences[i], first, n, scratch, bias);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
