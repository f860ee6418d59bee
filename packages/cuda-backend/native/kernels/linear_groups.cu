// linear of weights in GPTQ's and AWQ's formats, and the lengths of rows that some divide by.
#include "linear_kernels.h"

using airllm::DType;

LINEAR_KERNELS(gptq, DType::kGptq)
LINEAR_KERNELS(awq, DType::kAwq)

/** lengths[n] = max(|weight[n, :]|, 1e-12); a warp for each row. */
KERNEL(row_lengths, airllm::RowLengthsArguments) {
  using namespace airllm;
  const size_t row = static_cast<size_t>(blockIdx.x) * 8 + warpIndex();
  if (row >= args.weight.rows) return;
  float sum = 0;
  for (size_t c = laneIndex(); c < args.weight.cols; c += 32) {
    const float value = elementAt(args.weight, row, c);
    sum = fmaf(value, value, sum);
  }
  sum = warpSum(sum);
  if (laneIndex() == 0) args.lengths[row] = fmaxf(sqrtf(sum), 1e-12f);
}
