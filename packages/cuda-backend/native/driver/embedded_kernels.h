// The kernels as nvcc left them: fat binaries, one for each source file, within the addon.
#pragma once

#include <cstddef>

namespace airllm {

/** `count` fat binaries; none where the addon was built without nvcc. */
extern const unsigned char* const kEmbeddedKernels[];
extern const size_t kEmbeddedKernelCount;

}  // namespace airllm
