// Measures how many multiply-adds all threads together can do on operands that are at hand: the limit that
// prefill is compared with.
#pragma once

#include <cstddef>

#include "gemm/fast_linear.h"
#include "kernels.h"

namespace airllm {

/**
 * Multiply-adds per second of the best of several rounds, for about `seconds`: in bf16 tiles with `fast`,
 * else in float32. Throws std::bad_alloc, std::system_error.
 */
double measureComputePeak(const Kernels& kernels, const FastLinear* fast, size_t threads, double seconds);

}  // namespace airllm
