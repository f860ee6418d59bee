// CUDA's execution model as the emulator has it: barriers, exchanges within a warp, and threads that part
// where they must not.
#include "emulator.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

namespace {

struct Out {
  float* values;
};

}  // namespace

/** Every thread shows its number, and after the barrier reads that of the thread as far from the other end.
 */
KERNEL(test_mirror, Out) {
  SHARED float shown[96];
  shown[threadIdx.x] = static_cast<float>(threadIdx.x + 100 * blockIdx.x);
  __syncthreads();
  args.values[blockIdx.x * 96 + threadIdx.x] = shown[95 - threadIdx.x];
}

KERNEL(test_warp_total, Out) {
  float sum = static_cast<float>(threadIdx.x % 32);
  for (int mask = 16; mask > 0; mask >>= 1) sum += airllm::shuffleXor(sum, mask);
  args.values[threadIdx.x] = sum;
}

KERNEL(test_parting, Out) {
  if (threadIdx.x % 2 == 0) __syncthreads();
  args.values[threadIdx.x] = airllm::shuffleXor(1.0f, 1);
}

namespace airllm::emulator {
namespace {

std::vector<float> run(const char* kernel, Grid grid, size_t count) {
  std::vector<float> values(count);
  const Out out{values.data()};
  runGrid(findKernel(kernel), grid, &out);
  return values;
}

TEST_CASE("a barrier holds all warps of a block") {
  const auto values = run("test_mirror", {{2, 1, 1}, 96, 0}, 192);
  for (size_t i = 0; i < 96; i++) {
    CHECK(values[i] == static_cast<float>(95 - i));
    CHECK(values[96 + i] == static_cast<float>(195 - i));
  }
}

TEST_CASE("exchanges stay within a warp") {
  for (const float value : run("test_warp_total", {{1, 1, 1}, 64, 0}, 64))
    CHECK(value == 496.0f);  // 0 + … + 31
}

TEST_CASE("threads of a warp that part at a collective are found out") {
  CHECK_THROWS_AS(run("test_parting", {{1, 1, 1}, 32, 0}, 32), std::logic_error);
}

TEST_CASE("there is no kernel of an unknown name") { CHECK((findKernel("nothing") == nullptr)); }

}  // namespace
}  // namespace airllm::emulator
