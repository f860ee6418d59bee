// All kernels of one instruction set and their table. Included by one source file per set, which defines
// AIRLLM_ISA (the namespace) and AIRLLM_SIMD (the header of its vectors) and is compiled with that set's
// flags. Everything is in an unnamed namespace: an inline function with external linkage compiled for AVX-512
// could otherwise be the copy the linker keeps for every machine.
#pragma once

#include "compiler.h"
#include "kernels.h"

// Vectors first: everything below is written over them.
// clang-format off
#include AIRLLM_SIMD

#include "ops/accumulate.h"
#include "ops/activate.h"
#include "ops/attention.h"
#include "ops/clamped_glu.h"
#include "ops/embedding.h"
#include "ops/fill.h"
#include "ops/gated_delta.h"
#include "ops/gather_rows.h"
#include "ops/glu.h"
#include "ops/latent_attention.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/linear_transposed.h"
#include "ops/multiply_adds.h"
#include "ops/read_all.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/scale.h"
#include "ops/scale_rows.h"
#include "ops/scatter_add_rows.h"
#include "ops/short_conv.h"
#include "ops/sigmoid_gate.h"
#include "ops/softcap.h"
#include "ops/ungroup.h"
// clang-format on

namespace airllm::AIRLLM_ISA {
namespace {

constexpr Kernels tableNamed(const char* name) {
  return {
      .name = name,
      .embedding = embedding,
      .rmsNorm = rmsNorm,
      .layerNorm = layerNorm,
      .linear = linear,
      .linearTransposed = linearTransposed,
      .rope = rope,
      .appendKeysValues = appendKeysValues,
      .attend = attend,
      .appendLatents = appendLatents,
      .attendLatent = attendLatent,
      .shortConv = shortConv,
      .gatedDelta = gatedDelta,
      .glu = glu,
      .clampedGlu = clampedGlu,
      .activate = activate,
      .sigmoidGate = sigmoidGate,
      .softcap = softcap,
      .scale = scale,
      .scaleRows = scaleRows,
      .accumulate = accumulate,
      .fill = fill,
      .ungroup = ungroup,
      .gatherRows = gatherRows,
      .scatterAddRows = scatterAddRows,
      .readAll = readAll,
      .multiplyAdds = multiplyAdds,
  };
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
