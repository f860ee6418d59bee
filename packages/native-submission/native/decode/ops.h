// One decoder per op: the words behind its opcode, in the order of src/encode/*.ts, as validated operands.
// Each throws InvalidOperand.
#pragma once

#include "reader.h"

namespace airllm {

// matrix_ops.cc
Op decodeEmbedding(Reader& in);
Op decodeRmsNorm(Reader& in);
Op decodeLayerNorm(Reader& in);
Op decodeLinear(Reader& in);
Op decodeLinearTransposed(Reader& in);

// sequence_ops.cc
Op decodeRope(Reader& in);
Op decodeAttention(Reader& in);
Op decodeLatentAttention(Reader& in);
Op decodeShortConv(Reader& in);
Op decodeGatedDelta(Reader& in);

// elementwise_ops.cc
Op decodeGlu(Reader& in);
Op decodeClampedGlu(Reader& in);
Op decodeActivate(Reader& in);
Op decodeSigmoidGate(Reader& in);
Op decodeSoftcap(Reader& in);
Op decodeScale(Reader& in);
Op decodeScaleRows(Reader& in);
Op decodeAccumulate(Reader& in);
Op decodeFill(Reader& in);

// row_ops.cc
Op decodeUngroup(Reader& in);
Op decodeGatherRows(Reader& in);
Op decodeScatterAddRows(Reader& in);

}  // namespace airllm
