// The kernels for any machine.
#define AIRLLM_ISA scalar
#define AIRLLM_SIMD "simd/simd_scalar.h"

#include "kernels_isa.h"

namespace airllm {

const Kernels* scalarKernels() {
  static constexpr Kernels table = scalar::tableNamed("scalar");
  return &table;
}

}  // namespace airllm
