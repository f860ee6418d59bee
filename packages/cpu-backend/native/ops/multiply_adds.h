// multiplyAdds: independent chains of fused multiply-adds in registers, as many as a tile of linear has: the
// limit that products of float32 are compared with.
#pragma once

namespace airllm::AIRLLM_ISA {
namespace {

constexpr size_t kChains = 4 * kTileRows;

/** Chains start apart, or a compiler would keep one of them. `repeats` multiply-adds in every lane of every
 * chain; their number comes back, and `keep` keeps them alive. */
size_t multiplyAdds(size_t repeats, float* keep) {
  F acc[kChains];
  AIRLLM_UNROLL for (size_t i = 0; i < kChains; i++) acc[i] = set1(static_cast<float>(i));
  const F factor = set1(keep[0]), term = set1(keep[1]);
  for (size_t r = 0; r < repeats; r++) {
    AIRLLM_UNROLL for (size_t i = 0; i < kChains; i++) acc[i] = fma(factor, acc[i], term);
  }
  F total = zero();
  AIRLLM_UNROLL for (size_t i = 0; i < kChains; i++) total = add(total, acc[i]);
  keep[0] = sum(total);
  return repeats * kChains * kLanes;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
