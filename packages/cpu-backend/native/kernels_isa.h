// All kernels of one instruction set and their table. Included by one source file per set, which defines
// AIRLLM_ISA (the namespace) and AIRLLM_SIMD (the header of its vectors) and is compiled with that set's
// flags. Everything is in an unnamed namespace: an inline function with external linkage compiled for AVX-512
// could otherwise be the copy the linker keeps for every machine.
#pragma once

#include "kernels.h"

#if defined(__clang__)
#define AIRLLM_UNROLL _Pragma("unroll")
#define AIRLLM_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__)
#define AIRLLM_UNROLL _Pragma("GCC unroll 32")
#define AIRLLM_NOINLINE __attribute__((noinline))
#else
#define AIRLLM_UNROLL
#define AIRLLM_NOINLINE
#endif

// Vectors first: everything below is written over them.
// clang-format off
#include AIRLLM_SIMD

#include "ops/accumulate.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/fill.h"
#include "ops/gather_rows.h"
#include "ops/glu.h"
#include "ops/linear.h"
#include "ops/read_all.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/scatter_add_rows.h"
// clang-format on

namespace airllm::AIRLLM_ISA {
namespace {

constexpr Kernels tableNamed(const char* name) {
  return {name, embedding,  rmsNorm, linear,     rope,           appendKeysValues, attend,
          glu,  accumulate, fill,    gatherRows, scatterAddRows, readAll};
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
