// linear of a weight that is stored input-major, one chain of multiply-adds per output.
//
//   out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or on top of out; x [T, K], weight [K, N], out [T, N]
//
// A thread makes 8 columns of 4 rows and reads each 8 columns of the weight once for them.
#include "rows.h"

namespace airllm {
namespace {

constexpr size_t kRowsTogether = 4;

}  // namespace
}  // namespace airllm

KERNEL(linear_transposed, airllm::LinearTransposedOp) {
  using namespace airllm;
  const size_t col = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kTogether;
  const size_t first = static_cast<size_t>(blockIdx.y) * kRowsTogether;
  if (col >= args.weight.cols) return;
  const int count = static_cast<int>(smaller(args.weight.cols - col, kTogether));
  const size_t rowsHere = smaller(args.x.rows - first, kRowsTogether);
  float sums[kRowsTogether][kTogether] = {};
  UNROLL for (size_t t = 0; t < kRowsTogether; t++) {
    if (t >= rowsHere) continue;
    UNROLL for (int i = 0; i < 8; i++) {
      if (i >= count) continue;
      if (args.accumulate) sums[t][i] = args.out.data[(first + t) * args.out.stride + col + i];
      if (args.bias.data != nullptr) sums[t][i] = elementAt(args.bias, 0, col + i);
    }
  }
  for (size_t k = 0; k < args.weight.rows; k++) {
    float values[kTogether];
    readColumns(args.weight, k, col, count, values);
    UNROLL for (size_t t = 0; t < kRowsTogether; t++) {
      if (t >= rowsHere) continue;
      const float x = args.x.data[(first + t) * args.x.stride + k];
      UNROLL for (int i = 0; i < 8; i++) sums[t][i] = fmaf(x, values[i], sums[t][i]);
    }
  }
  UNROLL for (size_t t = 0; t < kRowsTogether; t++) {
    if (t >= rowsHere) continue;
    UNROLL for (int i = 0; i < 8; i++) {
      if (i < count) args.out.data[(first + t) * args.out.stride + col + i] = sums[t][i];
    }
  }
}
