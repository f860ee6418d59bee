// CUDA's execution model on the host, for kernels compiled by a C++ compiler: the threads of a block are
// fibers of one host thread that run one after the other up to their next collective operation. Meant for
// tests; nothing is fast but switching.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace airllm::emulator {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

/** What one lane hands to its warp in a collective operation. */
struct Deposit {
  uint32_t words[32];
};

/** Of the thread that runs now. */
struct Self {
  Index thread, block, blockSize, gridSize;
  int lane = 0;
  float* dynamicShared = nullptr;
  /** Of its warp: deposits of this collective and of the one before, which slower lanes still read. */
  Deposit (*deposits)[32] = nullptr;
  unsigned collectives = 0;
};

Self& self();

/** Waits for the other threads of the block, or of the warp. Every thread must get there. */
void blockBarrier();
void warpBarrier();

/** Hands a deposit to the warp and returns those of all lanes. */
inline const Deposit* exchange(const void* value, size_t byteLength) {
  Self& me = self();
  Deposit* shared = me.deposits[me.collectives++ & 1];
  memcpy(shared[me.lane].words, value, byteLength);
  warpBarrier();
  return shared;
}

using KernelFunction = void (*)(const void* arguments);

/** Makes a kernel known by name before main. */
struct Registration {
  Registration(const char* name, KernelFunction function);
};
/** Null when there is none. */
KernelFunction findKernel(const std::string& name);

struct Grid {
  Index blocks;
  unsigned threads;
  size_t sharedBytes;
};

/** Runs a whole grid on the calling thread. Throws std::logic_error where threads of a warp part at a
 * collective. */
void runGrid(KernelFunction kernel, const Grid& grid, const void* arguments);

}  // namespace airllm::emulator

#define KERNEL(name, Arguments)                                                               \
  static void name(const Arguments& args);                                                    \
  static const airllm::emulator::Registration name##Registration(                             \
      #name, [](const void* arguments) { name(*static_cast<const Arguments*>(arguments)); }); \
  static void name(const Arguments& args)
#define DEVICE inline
#define DEVICE_CALL inline
#define SHARED static thread_local
#define DYNAMIC_SHARED(name) float* name = airllm::emulator::self().dynamicShared
#define UNROLL
#define threadIdx (airllm::emulator::self().thread)
#define blockIdx (airllm::emulator::self().block)
#define blockDim (airllm::emulator::self().blockSize)
#define gridDim (airllm::emulator::self().gridSize)

inline void __syncthreads() { airllm::emulator::blockBarrier(); }

namespace airllm {

template <typename T>
T shuffleXor(T value, int mask) {
  const emulator::Deposit* all = emulator::exchange(&value, sizeof value);
  T found;
  memcpy(&found, all[emulator::self().lane ^ mask].words, sizeof found);
  return found;
}
inline void warpBarrier() { emulator::warpBarrier(); }
inline int bitCount(uint64_t bits) { return __builtin_popcountll(bits); }

struct alignas(16) Quad {
  uint32_t word[4];
};
inline Quad loadQuad(const uint8_t* at) {
  Quad found;
  memcpy(&found, at, sizeof found);
  return found;
}
inline float bitsToFloat(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t floatToBits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }

}  // namespace airllm
