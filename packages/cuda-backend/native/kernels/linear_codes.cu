// linear of weights in codes, integers and packed bfloat16.
#include "linear_kernels.h"

using airllm::DType;

LINEAR_KERNELS(code4, DType::kCode4)
LINEAR_KERNELS(code8, DType::kCode8)
LINEAR_KERNELS(int8, DType::kInt8)
LINEAR_KERNELS(int4, DType::kInt4)
LINEAR_KERNELS(bf16z, DType::kBf16z)
