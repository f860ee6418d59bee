// linear in bf16 for x86-64 with AMX-BF16 and AVX-512.
#define AIRLLM_ISA amx
#define AIRLLM_SIMD "../simd/simd_avx512.h"
#define AIRLLM_TILES "tiles_amx.h"

#include "fast_linear.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__linux__)

#include "../compiler.h"
#include AIRLLM_SIMD
#include "multiply_tiles.h"

namespace airllm {

const FastLinear* amxLinear() {
  static constexpr FastLinear table{"amx", amx::packRows, amx::linear, amx::products};
  return &table;
}

}  // namespace airllm

#else

const airllm::FastLinear* airllm::amxLinear() { return nullptr; }

#endif
