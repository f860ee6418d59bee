// The kernels for x86-64 with AVX2, FMA, F16C.
#define AIRLLM_ISA avx2

#include "kernels.h"

#if defined(__AVX2__)

#include "kernels_isa.h"

namespace airllm {

const Kernels* avx2Kernels() {
  static constexpr Kernels table = avx2::tableNamed("avx2");
  return &table;
}

}  // namespace airllm

#else

const airllm::Kernels* airllm::avx2Kernels() { return nullptr; }

#endif
