// Which instruction sets this machine and its operating system offer, and the kernels that fit.
#pragma once

#include <string>

#include "kernels.h"

namespace airllm {

/** Kernels by name (`auto`, `scalar`, `avx2`, `avx512`, `avx512vbmi`, `neon`); null when the machine lacks
 * the set. */
const Kernels* kernelsFor(const std::string& instructionSet);

}  // namespace airllm
