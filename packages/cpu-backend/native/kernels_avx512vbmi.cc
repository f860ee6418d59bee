// The kernels for x86-64 with AVX-512 F, BW, VL, DQ, VBMI, VBMI2 and GFNI (Ice Lake, Zen 4 and later): those
// of AVX-512, with formats that are looked up or expanded by bytes.
#define AIRLLM_ISA avx512vbmi
#define AIRLLM_SIMD "simd/simd_avx512.h"
#define AIRLLM_VBMI

#include "kernels.h"

#if defined(__AVX512VBMI2__) && defined(__GFNI__)

#include "kernels_isa.h"

namespace airllm {

const Kernels* avx512vbmiKernels() {
  static constexpr Kernels table = avx512vbmi::tableNamed("avx512vbmi");
  return &table;
}

}  // namespace airllm

#else

const airllm::Kernels* airllm::avx512vbmiKernels() { return nullptr; }

#endif
