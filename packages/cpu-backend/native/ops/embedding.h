// embedding: out[i, :] = table[ids[i], :].
//   table [V, C] of any dtype; ids [T] uint32, each < V; out [T, C] float32.
#pragma once

#include "../formats/decode_rows.h"
#include "../simd/weight_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

void embedding(const EmbeddingOp& op, size_t begin, size_t end) {
  const size_t cols = op.out.cols;
  if (isPacked(op.table.dtype)) {
    for (size_t i = begin; i < end; i++) {
      decodeRows(op.table, op.ids[i], 1, 0, cols, op.out.data + i * op.out.stride, cols);
    }
    return;
  }
  withDType(op.table.dtype, [&](auto tag) {
    for (size_t i = begin; i < end; i++) {
      const WeightRows<decltype(tag)::value, 1> from(op.table, op.ids[i]);
      float* to = op.out.data + i * op.out.stride;
      size_t c = 0;
      for (; c + kLanes <= cols; c += kLanes) store(to + c, from.load(0, c));
      if (c < cols) storePartial(to + c, from.loadPartial(0, c, cols - c), cols - c);
    }
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
