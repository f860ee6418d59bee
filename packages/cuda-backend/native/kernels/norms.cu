// Norms over groups of columns: a block for each group of each row.
#include "element.h"

namespace airllm {
namespace {

constexpr int kNormWarps = 8;

/** The sum over the block, the same bits in every thread. */
DEVICE float blockSum(float value) {
  SHARED float parts[kNormWarps];
  value = warpSum(value);
  __syncthreads();
  if (laneIndex() == 0) parts[warpIndex()] = value;
  __syncthreads();
  float sum = 0;
  for (unsigned i = 0; i < blockDim.x / 32; i++) sum += parts[i];
  return sum;
}

/** Value of a vector as long as a group or as a row. */
DEVICE float vectorAt(const Weight& w, size_t group, size_t groupWidth, size_t c) {
  return elementAt(w, 0, w.cols == groupWidth ? c : group * groupWidth + c);
}

}  // namespace
}  // namespace airllm

using namespace airllm;

KERNEL(rms_norm, RmsNormOp) {
  const size_t groups = args.x.cols / args.groupWidth;
  const size_t row = blockIdx.x / groups, group = blockIdx.x % groups;
  const float* x = args.x.data + row * args.x.stride + group * args.groupWidth;
  float* out = args.out.data + row * args.out.stride + group * args.groupWidth;
  float squares = 0;
  for (size_t c = threadIdx.x; c < args.groupWidth; c += blockDim.x) squares = fmaf(x[c], x[c], squares);
  const float factor = 1.0f / sqrtf(blockSum(squares) / static_cast<float>(args.groupWidth) + args.eps);
  for (size_t c = threadIdx.x; c < args.groupWidth; c += blockDim.x) {
    const float scaled = x[c] * factor;
    out[c] = args.weight.data == nullptr
                 ? scaled
                 : scaled * (vectorAt(args.weight, group, args.groupWidth, c) + args.weightOffset);
  }
}

KERNEL(layer_norm, LayerNormOp) {
  const size_t groups = args.x.cols / args.groupWidth;
  const size_t row = blockIdx.x / groups, group = blockIdx.x % groups;
  const float* x = args.x.data + row * args.x.stride + group * args.groupWidth;
  float* out = args.out.data + row * args.out.stride + group * args.groupWidth;
  float sum = 0;
  for (size_t c = threadIdx.x; c < args.groupWidth; c += blockDim.x) sum += x[c];
  const float mean = blockSum(sum) / static_cast<float>(args.groupWidth);
  float squares = 0;
  for (size_t c = threadIdx.x; c < args.groupWidth; c += blockDim.x) {
    squares = fmaf(x[c] - mean, x[c] - mean, squares);
  }
  const float factor = 1.0f / sqrtf(blockSum(squares) / static_cast<float>(args.groupWidth) + args.eps);
  for (size_t c = threadIdx.x; c < args.groupWidth; c += blockDim.x) {
    float value = (x[c] - mean) * factor;
    if (args.weight.data != nullptr) value *= vectorAt(args.weight, group, args.groupWidth, c);
    if (args.bias.data != nullptr) value += vectorAt(args.bias, group, args.groupWidth, c);
    out[c] = value;
  }
}
