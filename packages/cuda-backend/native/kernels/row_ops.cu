// The ops that move rows or columns.
#include "rows.h"

using namespace airllm;

/** A thread for each 8 columns of out. */
KERNEL(embedding, EmbeddingOp) {
  const size_t groups = (args.out.cols + kTogether - 1) / kTogether;
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = i / groups, col = i % groups * kTogether;
  if (row >= args.out.rows) return;
  const int count = static_cast<int>(smaller(args.out.cols - col, kTogether));
  float values[kTogether];
  readColumns(args.table, args.ids[row], col, count, values);
  for (int c = 0; c < count; c++) args.out.data[row * args.out.stride + col + c] = values[c];
}

/** out[t, g · count + j] = x[t, g · groupWidth + start + j]; a thread for each element of out. */
KERNEL(ungroup, UngroupOp) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = i / args.out.cols, col = i % args.out.cols;
  if (row >= args.out.rows) return;
  const size_t from = col / args.count * args.groupWidth + args.start + col % args.count;
  args.out.data[row * args.out.stride + col] = args.x.data[row * args.x.stride + from];
}

/** out[i, :] = x[indices[i], :], times scales[i]; a thread for each element of out. */
KERNEL(gather_rows, GatherRowsOp) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t row = i / args.out.cols, col = i % args.out.cols;
  if (row >= args.out.rows) return;
  const float value = args.x.data[args.indices[row] * args.x.stride + col];
  args.out.data[row * args.out.stride + col] = args.scales == nullptr ? value : value * args.scales[row];
}

/** out[indices[i], :] += scales[i] · x[i, :], in the order of i; a thread for each column, since an index may
 * repeat. */
KERNEL(scatter_add_rows, ScatterAddRowsOp) {
  const size_t col = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (col >= args.x.cols) return;
  for (size_t row = 0; row < args.x.rows; row++) {
    float& sum = args.out.data[args.indices[row] * args.out.stride + col];
    sum = fmaf(args.scales[row], args.x.data[row * args.x.stride + col], sum);
  }
}
