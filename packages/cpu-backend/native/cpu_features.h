// Which instruction sets this machine and its operating system offer, and the kernels that fit.
#pragma once

#include <string>

#include "gemm/fast_linear.h"
#include "kernels.h"

namespace airllm {

/** Kernels by name (`auto`, `scalar`, `avx2`, `avx512`, `avx512vbmi`, `amx`, `neon`); null when the machine
 * lacks the set. */
const Kernels* kernelsFor(const std::string& instructionSet);

/** linear in bf16 by name (`amx`, `avx512bf16`); null when the machine lacks it. Asks the system for AMX. */
const FastLinear* fastLinearFor(const std::string& name);

/** The one that beats these kernels on this machine, or null. */
const FastLinear* fastLinearBeside(const Kernels& kernels);

}  // namespace airllm
