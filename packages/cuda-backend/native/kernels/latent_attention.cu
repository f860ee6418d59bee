// What stands around attention over latents: queries go into their space before, sums of latents become
// values behind.
//
//   queries[t, h] = [Σₙ qNope[t, h, n] · kvB[h, n, :] | qRope[t, h]]; out[t, h, v] = Σᵣ kvB[h, nopeDim + v,
//   r] · sums[t, h, r]
#include "attention_arguments.h"
#include "element.h"

using namespace airllm;

/** A thread for each element of the queries. */
KERNEL(latent_queries, LatentQueryArguments) {
  const LatentAttentionOp& op = args.op;
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t dim = op.rank + op.ropeDim;
  const size_t row = i / args.queries.cols, col = i % args.queries.cols;
  if (row >= args.queries.rows) return;
  const size_t head = col / dim, d = col % dim;
  const float* q = op.q.data + (args.first + row) * op.q.stride + head * (op.nopeDim + op.ropeDim);
  float sum = 0;
  if (d < op.rank) {
    for (size_t n = 0; n < op.nopeDim; n++) {
      sum = fmaf(q[n], elementAt(op.kvB, head * (op.nopeDim + op.valueDim) + n, d), sum);
    }
  } else {
    sum = q[op.nopeDim + d - op.rank];
  }
  args.queries.data[row * args.queries.stride + col] = sum;
}

/** A warp for each output. */
KERNEL(latent_outputs, LatentOutputArguments) {
  const LatentAttentionOp& op = args.op;
  const size_t i = static_cast<size_t>(blockIdx.x) * (blockDim.x / 32) + warpIndex();
  const size_t row = i / op.out.cols, col = i % op.out.cols;
  if (row >= args.sums.rows) return;
  const size_t head = col / op.valueDim, v = col % op.valueDim;
  const float* latents = args.sums.data + row * args.sums.stride + head * op.rank;
  const size_t weightRow = head * (op.nopeDim + op.valueDim) + op.nopeDim + v;
  float sum = 0;
  for (size_t r = laneIndex(); r < op.rank; r += 32)
    sum = fmaf(elementAt(op.kvB, weightRow, r), latents[r], sum);
  sum = warpSum(sum);
  if (laneIndex() == 0) op.out.data[(args.first + row) * op.out.stride + col] = sum;
}
