// embedding: out[i, :] = table[ids[i], :].
//   table [V, C] f32, f16 or bf16; ids [T] uint32, each < V; out [T, C] float32.
#pragma once

#include "../simd/tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

template <DType D>
void embeddingOf(const EmbeddingOp& op, size_t begin, size_t end) {
  const size_t cols = op.out.cols;
  for (size_t i = begin; i < end; i++) {
    const uint8_t* from = op.table.data + op.ids[i] * cols * kBytes<D>;
    float* to = op.out.data + i * op.out.stride;
    size_t c = 0;
    for (; c + kLanes <= cols; c += kLanes) store(to + c, loadWeight<D>(from + c * kBytes<D>));
    if (c < cols) storePartial(to + c, loadWeightPartial<D>(from + c * kBytes<D>, cols - c), cols - c);
  }
}

void embedding(const EmbeddingOp& op, size_t begin, size_t end) {
  switch (op.table.dtype) {
    case DType::kF32:
      return embeddingOf<DType::kF32>(op, begin, end);
    case DType::kF16:
      return embeddingOf<DType::kF16>(op, begin, end);
    case DType::kBF16:
      return embeddingOf<DType::kBF16>(op, begin, end);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
