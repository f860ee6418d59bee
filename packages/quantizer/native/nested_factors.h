// Double quantization: the factors of `4bit` minus their mean, in 8 bits.
#pragma once

#include "kernels.h"

namespace airllm {

constexpr size_t kNestedBlockLength = 256;

/** A float32 sum in torch's order on one thread with eight lanes; see torchSum in
 * reference/nested-factors.ts. */
float torchSum(const float* values, size_t count);

struct NestedResult {
  ErrorSums sums;
  float offset = 0;
};

/** absmax [count] → codes [count], nested [⌈count / 256⌉]. */
NestedResult encodeFactors(const Kernels& kernels, const CodeTable& table, const float* absmax, size_t count,
                           uint8_t* codes, float* nested);

}  // namespace airllm
