// The kernels for x86-64 with AVX-512 F, BW, VL, DQ.
#define AIRLLM_ISA avx512

#include "kernels.h"

#if defined(__AVX512F__)

#include "kernels_isa.h"

namespace airllm {

const Kernels* avx512Kernels() {
  static constexpr Kernels table = avx512::tableNamed("avx512");
  return &table;
}

}  // namespace airllm

#else

const airllm::Kernels* airllm::avx512Kernels() { return nullptr; }

#endif
