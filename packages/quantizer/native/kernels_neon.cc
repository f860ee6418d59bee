// The kernels for AArch64.
#define AIRLLM_ISA neon

#include "kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include "kernels_isa.h"

namespace airllm {

const Kernels* neonKernels() {
  static constexpr Kernels table = neon::tableNamed("neon");
  return &table;
}

}  // namespace airllm

#else

const airllm::Kernels* airllm::neonKernels() { return nullptr; }

#endif
