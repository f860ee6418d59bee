// linear in bf16 for x86-64 with AVX512_BF16.
#define AIRLLM_ISA avx512bf16
#define AIRLLM_SIMD "../simd/simd_avx512.h"
#define AIRLLM_TILES "tiles_avx512_bf16.h"

#include "fast_linear.h"

#if defined(__AVX512BF16__)

#include "../compiler.h"
#include AIRLLM_SIMD
#include "multiply_tiles.h"

namespace airllm {

const FastLinear* avx512Bf16Linear() {
  static constexpr FastLinear table{"avx512bf16", avx512bf16::packRows, avx512bf16::linear,
                                    avx512bf16::products};
  return &table;
}

}  // namespace airllm

#else

const airllm::FastLinear* airllm::avx512Bf16Linear() { return nullptr; }

#endif
