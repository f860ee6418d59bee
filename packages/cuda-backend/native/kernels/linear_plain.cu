// linear of weights whose values stand alone.
#include "linear_kernels.h"

using airllm::DType;

LINEAR_KERNELS(f32, DType::kF32)
LINEAR_KERNELS(f16, DType::kF16)
LINEAR_KERNELS(bf16, DType::kBF16)
LINEAR_KERNELS(f8, DType::kF8E4M3)
