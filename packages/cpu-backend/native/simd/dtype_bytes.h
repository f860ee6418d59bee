// Bytes of one value of a weight's dtype, and a dtype as a type to choose templates by.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "operands.h"

namespace airllm::AIRLLM_ISA {
namespace {

template <DType D>
constexpr size_t kBytes = D == DType::kF32      ? 4
                          : D == DType::kF8E4M3 ? 1
                                                : 2;

template <DType D>
struct DTypeTag {
  static constexpr DType value = D;
};

/** body(DTypeTag<dtype>{}); nothing for packed dtypes, which formats/ decodes. */
template <typename Body>
inline void withDType(DType dtype, Body body) {
  switch (dtype) {
    case DType::kF32:
      return body(DTypeTag<DType::kF32>{});
    case DType::kF16:
      return body(DTypeTag<DType::kF16>{});
    case DType::kBF16:
      return body(DTypeTag<DType::kBF16>{});
    case DType::kF8E4M3:
      return body(DTypeTag<DType::kF8E4M3>{});
    default:
      return;
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
