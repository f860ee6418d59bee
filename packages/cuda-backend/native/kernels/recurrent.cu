// The ops that remember a state of each sequence.
#include "element.h"

namespace airllm {

/** Value columns of a block of gated_delta, one for each of its threads. */
constexpr size_t kDeltaColumns = 32;

}  // namespace airllm

using namespace airllm;

/**
 * Causal depthwise convolution over time, then SiLU. A thread for each channel of each sequence: block y is
 * the sequence. A state [width − 1, channels] holds the last inputs, oldest first; x may be out.
 */
KERNEL(short_conv, ShortConvOp) {
  const size_t channels = args.x.cols, width = args.weight.cols;
  const size_t c = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  const SequenceRun run = args.inputs.sequences[blockIdx.y];
  float* state = args.inputs.data + run.slot * args.inputs.slotStride + c;
  if (run.past == 0) {
    for (size_t i = 0; i + 1 < width; i++) state[i * channels] = 0;
  }
  const float bias = args.bias.data == nullptr ? 0 : elementAt(args.bias, 0, c);
  for (size_t t = 0; t < run.rowCount; t++) {
    const float x = args.x.data[(run.rowStart + t) * args.x.stride + c];
    float sum = bias;
    // Inputs move up by one: what is read here is written one row earlier.
    for (size_t i = 0; i + 1 < width; i++) {
      const float input = state[i * channels];
      sum = fmaf(elementAt(args.weight, c, i), input, sum);
      if (i > 0) state[(i - 1) * channels] = input;
    }
    if (width > 1) state[(width - 2) * channels] = x;
    sum = fmaf(elementAt(args.weight, c, width - 1), x, sum);
    args.out.data[(run.rowStart + t) * args.out.stride + c] = sum / (1.0f + expf(-sum));
  }
}

/**
 * The gated delta rule, row after row. A block of one warp has 32 value columns of one head (x) of one
 * sequence (y) and keeps their state [keyDim, 32] in shared memory, with the row's query and key behind it.
 */
KERNEL(gated_delta, GatedDeltaOp) {
  DYNAMIC_SHARED(shared);
  const size_t columnBlocks = (args.valueDim + kDeltaColumns - 1) / kDeltaColumns;
  const size_t head = blockIdx.x / columnBlocks, lane = threadIdx.x;
  const size_t col = blockIdx.x % columnBlocks * kDeltaColumns + lane;
  const bool present = col < args.valueDim;
  const size_t keyStart = head / (args.valueHeads / args.keyHeads) * args.keyDim;
  const SequenceRun run = args.state.sequences[blockIdx.y];
  float* stored =
      args.state.data + run.slot * args.state.slotStride + head * args.keyDim * args.valueDim + col;
  float* state = shared + lane;
  float* query = shared + args.keyDim * kDeltaColumns;
  float* key = query + args.keyDim;
  for (size_t i = 0; i < args.keyDim; i++) {
    state[i * kDeltaColumns] = present && run.past > 0 ? stored[i * args.valueDim] : 0;
  }
  const float rate = -expf(elementAt(args.aLog, 0, head)), bias = elementAt(args.dtBias, 0, head);
  for (size_t t = run.rowStart; t < run.rowStart + run.rowCount; t++) {
    const float* q = args.q.data + t * args.q.stride + keyStart;
    const float* k = args.k.data + t * args.k.stride + keyStart;
    float queryLength = 0, keyLength = 0;
    for (size_t i = lane; i < args.keyDim; i += kDeltaColumns) {
      queryLength = fmaf(q[i], q[i], queryLength);
      keyLength = fmaf(k[i], k[i], keyLength);
    }
    queryLength = sqrtf(warpSum(queryLength) + 1e-6f);
    keyLength = sqrtf(warpSum(keyLength) + 1e-6f);
    warpBarrier();
    for (size_t i = lane; i < args.keyDim; i += kDeltaColumns) {
      query[i] = q[i] / queryLength;
      key[i] = k[i] / keyLength;
    }
    warpBarrier();
    const float a = args.a.data[t * args.a.stride + head] + bias;
    const float decay = expf(rate * (fmaxf(a, 0) + log1pf(expf(-fabsf(a)))));
    const float beta = 1.0f / (1.0f + expf(-args.b.data[t * args.b.stride + head]));
    float predicted = 0;
    for (size_t i = 0; i < args.keyDim; i++) {
      const float decayed = decay * state[i * kDeltaColumns];
      state[i * kDeltaColumns] = decayed;
      predicted = fmaf(key[i], decayed, predicted);
    }
    const float v = present ? args.v.data[t * args.v.stride + head * args.valueDim + col] : 0;
    const float change = beta * (v - predicted);
    float sum = 0;
    for (size_t i = 0; i < args.keyDim; i++) {
      const float value = fmaf(key[i], change, state[i * kDeltaColumns]);
      state[i * kDeltaColumns] = value;
      sum = fmaf(query[i], value, sum);
    }
    if (present) {
      args.out.data[t * args.out.stride + head * args.valueDim + col] =
          sum / sqrtf(static_cast<float>(args.keyDim));
    }
  }
  if (!present) return;
  for (size_t i = 0; i < args.keyDim; i++) stored[i * args.valueDim] = state[i * kDeltaColumns];
}
