// rmsNorm: out = x / sqrt(mean(x²) + eps) * weight for every group of `weight.cols` columns of every row.
//   x, out [T, G · W] float32 (may be the same tensor); weight [W] f32, f16 or bf16.
#pragma once

#include <math.h>

#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

template <DType D>
void rmsNormOf(const RmsNormOp& op, size_t begin, size_t end) {
  const size_t width = op.weight.cols;
  const size_t groups = op.x.cols / width;
  for (size_t unit = begin; unit < end; unit++) {
    const size_t row = unit / groups;
    const size_t column = unit % groups * width;
    const float* x = op.x.data + row * op.x.stride + column;
    float* out = op.out.data + row * op.out.stride + column;
    F squares[2] = {zero(), zero()};
    size_t c = 0;
    for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
      const F low = load(x + c);
      const F high = load(x + c + kLanes);
      squares[0] = fma(low, low, squares[0]);
      squares[1] = fma(high, high, squares[1]);
    }
    for (; c < width; c += kLanes) {
      const F tail = c + kLanes <= width ? load(x + c) : loadPartial(x + c, width - c);
      squares[0] = fma(tail, tail, squares[0]);
    }
    const float mean = sum(add(squares[0], squares[1])) / static_cast<float>(width);
    const F scale = set1(1.0f / sqrtf(mean + op.eps));
    for (c = 0; c + kLanes <= width; c += kLanes) {
      store(out + c, mul(mul(load(x + c), scale), loadWeight<D>(op.weight.data + c * kBytes<D>)));
    }
    if (c < width) {
      const size_t left = width - c;
      const F weights = loadWeightPartial<D>(op.weight.data + c * kBytes<D>, left);
      storePartial(out + c, mul(mul(loadPartial(x + c, left), scale), weights), left);
    }
  }
}

void rmsNorm(const RmsNormOp& op, size_t begin, size_t end) {
  switch (op.weight.dtype) {
    case DType::kF32:
      return rmsNormOf<DType::kF32>(op, begin, end);
    case DType::kF16:
      return rmsNormOf<DType::kF16>(op, begin, end);
    case DType::kBF16:
      return rmsNormOf<DType::kBF16>(op, begin, end);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
