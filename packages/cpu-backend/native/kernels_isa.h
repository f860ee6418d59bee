// All kernels over the SIMD header included before this one, and their table. Included by one source file per
// instruction set, each compiled with that set's flags. Everything is in an unnamed namespace: an inline function
// with external linkage compiled for AVX-512 could otherwise be the copy the linker keeps for every machine.
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

// clang-format off: the order is that of use
#include "simd/simd_math.h"
#include "ops/linear.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/column_blocks.h"
#include "ops/accumulate.h"
#include "ops/fill.h"
#include "ops/glu.h"
#include "ops/gather_rows.h"
#include "ops/scatter_add_rows.h"
#include "ops/read_all.h"
// clang-format on

namespace airllm::AIRLLM_ISA {
namespace {

constexpr Kernels tableNamed(const char* name) {
  return {name,   embedding, rmsNorm, linear,     rope,           appendKeysValues, attend,
          glu,    accumulate, fill,   gatherRows, scatterAddRows, readAll};
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
