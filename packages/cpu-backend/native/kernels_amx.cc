// The kernels for x86-64 with AMX-INT8 beside AVX-512 VBMI (Sapphire Rapids and later): those of AVX-512
// VBMI, with linear over eight-bit weights in tiles.
#define AIRLLM_ISA amxint8
#define AIRLLM_SIMD "simd/simd_avx512.h"
#define AIRLLM_VBMI

#include "kernels.h"

#if defined(__AMX_INT8__) && defined(__AVX512VBMI2__) && defined(__GFNI__) && defined(__linux__)

#include "compiler.h"
#include AIRLLM_SIMD
#include "digits/digit_linear.h"

namespace airllm {
namespace amxint8 {
namespace {

void linear(const LinearOp& op, size_t begin, size_t end, float* scratch) {
  const Otherwise otherwise = avx512vbmiKernels()->linear;
  if (!digitLinear(op, begin, end, scratch, otherwise)) otherwise(op, begin, end, scratch);
}

}  // namespace
}  // namespace amxint8

const Kernels* amxKernels() {
  if (avx512vbmiKernels() == nullptr) return nullptr;
  static const Kernels table = [] {
    Kernels kernels = *avx512vbmiKernels();
    kernels.name = "amx";
    kernels.linear = amxint8::linear;
    return kernels;
  }();
  return &table;
}

}  // namespace airllm

#else

const airllm::Kernels* airllm::amxKernels() { return nullptr; }

#endif
