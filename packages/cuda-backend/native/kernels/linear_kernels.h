// The three kernels of linear that a format has: for up to 8 rows of x, for some and for many.
#pragma once

#include "linear_tiles.h"

#define LINEAR_KERNELS(name, F)                                                             \
  KERNEL(linear_##name##_few, airllm::LinearArguments) { airllm::linearBlock<F, 1>(args); } \
  KERNEL(linear_##name##_many, airllm::LinearArguments) {                                   \
    airllm::linearBlock<F, airllm::kLinearManyTiles>(args);                                 \
  }                                                                                         \
  KERNEL(linear_##name##_tiles, airllm::LinearArguments) { airllm::linearTiles<F>(args); }
