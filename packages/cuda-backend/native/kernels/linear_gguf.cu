// linear of weights in the block formats of GGUF, and of MXFP4.
#include "linear_kernels.h"

using airllm::DType;

LINEAR_KERNELS(q8, DType::kQ8)
LINEAR_KERNELS(q4, DType::kQ4)
LINEAR_KERNELS(q4k, DType::kQ4K)
LINEAR_KERNELS(q6k, DType::kQ6K)
LINEAR_KERNELS(mxfp4, DType::kMxFp4)
