// The kernels for any machine.
#define AIRLLM_ISA scalar

#include "kernels_isa.h"

namespace airllm {

const Kernels* scalarKernels() {
  static constexpr Kernels table = scalar::tableNamed("scalar");
  return &table;
}

}  // namespace airllm
