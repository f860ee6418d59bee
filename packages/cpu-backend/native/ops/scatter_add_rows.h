// scatterAddRows: out[indices[i], :] += scales[i] · x[i, :]; x [T, C], out [R, C], scales [T] float32;
// indices [T] uint32, each < R, repeats allowed. Threads split the columns, so repeated rows add in the order
// of i.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

void scatterAddRows(const ScatterAddRowsOp& op, size_t begin, size_t end) {
  const size_t last = op.x.cols < end * kColumnBlock ? op.x.cols : end * kColumnBlock;
  for (size_t i = 0; i < op.x.rows; i++) {
    const float* x = op.x.data + i * op.x.stride;
    float* out = op.out.data + op.indices[i] * op.out.stride;
    const F scale = set1(op.scales[i]);
    size_t c = begin * kColumnBlock;
    for (; c + kLanes <= last; c += kLanes) store(out + c, fma(scale, load(x + c), load(out + c)));
    if (c < last) {
      const size_t left = last - c;
      storePartial(out + c, fma(scale, loadPartial(x + c, left), loadPartial(out + c, left)), left);
    }
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
