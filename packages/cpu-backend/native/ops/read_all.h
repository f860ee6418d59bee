// readAll: reads `bytes` (a multiple of 512) once with vector loads, as the memory bandwidth measurement
// needs.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

float readAll(const uint8_t* data, size_t bytes) {
  constexpr size_t kStreams = 8;
  constexpr size_t kStep = kLanes * sizeof(float);
  F acc[kStreams];
  for (size_t i = 0; i < kStreams; i++) acc[i] = zero();
  for (size_t at = 0; at < bytes; at += kStreams * kStep) {
    prefetch(data + at + 4096);
    AIRLLM_UNROLL for (size_t i = 0; i < kStreams; i++) {
      acc[i] = add(acc[i], loadWeight<DType::kF32>(data + at + i * kStep));
    }
  }
  for (size_t i = 1; i < kStreams; i++) acc[0] = add(acc[0], acc[i]);
  return sum(acc[0]);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
