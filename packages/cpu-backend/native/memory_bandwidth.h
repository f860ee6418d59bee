// Measures how fast all threads together can read memory: the limit that decoding is compared with.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace airllm {

/**
 * Bytes per second of the best of several passes over `bytes` of memory, each thread reading its own part
 * with vector loads, for about `seconds`. `bytes` must be far beyond the caches. Throws std::bad_alloc.
 */
double measureMemoryBandwidth(const Kernels& kernels, size_t bytes, size_t threads, double seconds);

}  // namespace airllm
