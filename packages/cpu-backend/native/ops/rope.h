// rope: rotates pairs of columns [rotaryStart, rotaryStart + rotaryDim) of every head, in place.
//   x [T, H · headDim] float32; cos, sin [T, rotaryDim / 2] float32.
//   half:        pairs column i with i + rotaryDim / 2
//   interleaved: pairs column 2i with 2i + 1, counted from rotaryStart
// (a, b) becomes (a·cos − b·sin, b·cos + a·sin).
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

inline void rotateHalf(float* head, const float* cosines, const float* sines, size_t half) {
  for (size_t i = 0; i < half; i += kLanes) {
    const size_t n = half - i < kLanes ? half - i : kLanes;
    const bool whole = n == kLanes;
    const F a = whole ? load(head + i) : loadPartial(head + i, n);
    const F b = whole ? load(head + half + i) : loadPartial(head + half + i, n);
    const F c = whole ? load(cosines + i) : loadPartial(cosines + i, n);
    const F s = whole ? load(sines + i) : loadPartial(sines + i, n);
    const F first = sub(mul(a, c), mul(b, s));
    const F second = add(mul(b, c), mul(a, s));
    if (whole) {
      store(head + i, first);
      store(head + half + i, second);
    } else {
      storePartial(head + i, first, n);
      storePartial(head + half + i, second, n);
    }
  }
}

inline void rotateInterleaved(float* head, const float* cosines, const float* sines, size_t half) {
  for (size_t i = 0; i < half; i++) {
    const float a = head[2 * i];
    const float b = head[2 * i + 1];
    head[2 * i] = a * cosines[i] - b * sines[i];
    head[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

void rope(const RopeOp& op, size_t begin, size_t end) {
  const size_t heads = op.x.cols / op.headDim;
  for (size_t unit = begin; unit < end; unit++) {
    const size_t row = unit / heads;
    float* head = op.x.data + row * op.x.stride + unit % heads * op.headDim + op.rotaryStart;
    const float* cosines = op.cos.data + row * op.cos.stride;
    const float* sines = op.sin.data + row * op.sin.stride;
    if (op.interleaved) {
      rotateInterleaved(head, cosines, sines, op.rotaryDim / 2);
    } else {
      rotateHalf(head, cosines, sines, op.rotaryDim / 2);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
