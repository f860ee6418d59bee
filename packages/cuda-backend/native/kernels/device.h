// What kernels are written in: CUDA C++ under nvcc, and the same sources under a host compiler with
// emulator.h. A kernel takes one argument, a struct by value, and blocks have one dimension of threads.
#pragma once

#include "operands.h"

#if defined(__CUDACC__)

#define KERNEL(name, Arguments) extern "C" __global__ void name(const __grid_constant__ Arguments args)
#define DEVICE __device__ __forceinline__
#define DEVICE_CALL __device__ __noinline__
#define SHARED __shared__
#define DYNAMIC_SHARED(name) extern __shared__ float name[]
#define UNROLL _Pragma("unroll")

namespace airllm {

template <typename T>
DEVICE T shuffleXor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
DEVICE void warpBarrier() { __syncwarp(); }
DEVICE int bitCount(uint64_t bits) { return __popcll(bits); }

struct alignas(16) Quad {
  uint32_t word[4];
};
/** 16 bytes at an address that is a multiple of 16. */
DEVICE Quad loadQuad(const uint8_t* at) {
  const uint4 v = __ldg(reinterpret_cast<const uint4*>(at));
  return {{v.x, v.y, v.z, v.w}};
}
DEVICE float bitsToFloat(uint32_t bits) { return __uint_as_float(bits); }
DEVICE uint32_t floatToBits(float value) { return __float_as_uint(value); }

}  // namespace airllm

#else
#include "emulator.h"
#endif

namespace airllm {

DEVICE int laneIndex() { return static_cast<int>(threadIdx.x & 31); }
DEVICE int warpIndex() { return static_cast<int>(threadIdx.x >> 5); }

/** The sum over the warp, the same bits in every lane. */
DEVICE float warpSum(float value) {
  for (int mask = 16; mask > 0; mask >>= 1) value += shuffleXor(value, mask);
  return value;
}

DEVICE float warpMax(float value) {
  for (int mask = 16; mask > 0; mask >>= 1) value = fmaxf(value, shuffleXor(value, mask));
  return value;
}

DEVICE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

}  // namespace airllm
