// The ops that treat every element by itself: a thread for each element of out or x, row after row.
#include "element.h"

namespace airllm {
namespace {

/** The element of this thread; false past the last. */
DEVICE bool place(const Matrix& m, size_t& row, size_t& col) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  row = i / m.cols;
  col = i % m.cols;
  return row < m.rows;
}

DEVICE float& at(const Matrix& m, size_t row, size_t col) { return m.data[row * m.stride + col]; }

DEVICE float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

DEVICE float activated(Activation activation, float x) {
  switch (activation) {
    case Activation::kSilu:
      return x / (1.0f + expf(-x));
    case Activation::kGelu:
      return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    default:
      return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
  }
}

}  // namespace
}  // namespace airllm

using namespace airllm;

KERNEL(fill, FillOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.x, row, col) = args.value;
}

KERNEL(scale, ScaleOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.x, row, col) *= args.value;
}

KERNEL(scale_rows, ScaleRowsOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.x, row, col) *= at(args.scales, row, 0);
}

KERNEL(accumulate, AccumulateOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.x, row, col) += at(args.y, row, col);
}

KERNEL(softcap, SoftcapOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.x, row, col) = args.cap * tanhf(at(args.x, row, col) / args.cap);
}

KERNEL(activate, ActivateOp) {
  size_t row, col;
  if (place(args.x, row, col)) at(args.out, row, col) = activated(args.activation, at(args.x, row, col));
}

KERNEL(glu, GluOp) {
  size_t row, col;
  if (!place(args.gate, row, col)) return;
  at(args.out, row, col) = activated(args.activation, at(args.gate, row, col)) * at(args.up, row, col);
}

KERNEL(clamped_glu, ClampedGluOp) {
  size_t row, col;
  if (!place(args.out, row, col)) return;
  const float gate = fminf(at(args.x, row, 2 * col), args.limit);
  const float up = fminf(fmaxf(at(args.x, row, 2 * col + 1), -args.limit), args.limit);
  at(args.out, row, col) = (up + 1.0f) * gate * sigmoid(args.alpha * gate);
}

KERNEL(sigmoid_gate, SigmoidGateOp) {
  size_t row, col;
  if (!place(args.x, row, col)) return;
  at(args.out, row, col) = at(args.x, row, col) * sigmoid(at(args.gate, row, args.gate.cols == 1 ? 0 : col));
}

/** A thread for each pair of columns of each head. */
KERNEL(rope, RopeOp) {
  const size_t pairs = args.rotaryDim / 2, heads = args.x.cols / args.headDim;
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t pair = i % pairs, head = i / pairs % heads, row = i / pairs / heads;
  if (row >= args.x.rows) return;
  float* x = &at(args.x, row, head * args.headDim + args.rotaryStart);
  float& first = x[args.interleaved ? 2 * pair : pair];
  float& second = x[args.interleaved ? 2 * pair + 1 : pair + pairs];
  const float a = first, b = second, c = at(args.cos, row, pair), s = at(args.sin, row, pair);
  first = a * c - b * s;
  second = b * c + a * s;
}
