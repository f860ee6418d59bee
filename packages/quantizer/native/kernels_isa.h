// The kernels of one instruction set: included once by each kernels_<set>.cc, after AIRLLM_ISA is its
// namespace.
#include "formats/code_blocks.h"
#include "formats/integer_groups.h"
#include "formats/lossless_rows.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr Kernels tableNamed(const char* name) {
  return {name, encodeCodes, decodeCodes, encodeIntegers, decodeIntegers, encodeLossless, decodeLossless};
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
