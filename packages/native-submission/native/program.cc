#include "program.h"

#include "decode/ops.h"
#include "decode/reader.h"

namespace airllm {
namespace {

Op decodeOp(Reader& in) {
  // Numbered as in src/encode/opcodes.ts.
  switch (in.integer()) {
    case 1:
      return decodeEmbedding(in);
    case 2:
      return decodeRmsNorm(in);
    case 3:
      return decodeLinear(in);
    case 4:
      return decodeRope(in);
    case 5:
      return decodeAttention(in);
    case 6:
      return decodeGlu(in);
    case 7:
      return decodeAccumulate(in);
    case 8:
      return decodeFill(in);
    case 9:
      return decodeGatherRows(in);
    case 10:
      return decodeScatterAddRows(in);
    case 11:
      return decodeLayerNorm(in);
    case 12:
      return decodeLinearTransposed(in);
    case 13:
      return decodeLatentAttention(in);
    case 14:
      return decodeShortConv(in);
    case 15:
      return decodeGatedDelta(in);
    case 16:
      return decodeClampedGlu(in);
    case 17:
      return decodeActivate(in);
    case 18:
      return decodeSigmoidGate(in);
    case 19:
      return decodeSoftcap(in);
    case 20:
      return decodeScale(in);
    case 21:
      return decodeScaleRows(in);
    case 22:
      return decodeUngroup(in);
    default:
      refuse("Expected a known op");
  }
}

}  // namespace

std::unique_ptr<Program> decodeProgram(const double* words, size_t count, const FindMemory& find,
                                       const Limits& limits) {
  auto program = std::make_unique<Program>();
  Reader in(words, count, find, *program, limits);
  in.readHeader();
  while (!in.atEnd()) program->ops.push_back(decodeOp(in));
  return program;
}

Matrix decodeTensor(const double* words, size_t count, const Memory& arena) {
  const FindMemory none = [](uint64_t) { return nullptr; };
  Program unused;
  Reader in(words, count, none, unused, Limits{});
  in.useArena(arena);
  return in.tensor();
}

}  // namespace airllm
