// What a GPU can do, measured without any code of this project: the limits that gpu-check.js holds figures against. Prints one
// line of JSON: { copyBytesPerSecond, busBytesPerSecond, cublas: { bf16, f32 } | null }; cublas is null, and the reason goes
// to standard error, where its library is not found. Rates are bytes and floating-point operations per second.
//
//   nvcc -O2 -o device-limits device-limits.cu -ldl && ./device-limits ROWS DEPTH COLUMNS

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace {

constexpr size_t kCopyBytes = size_t{1} << 30;
constexpr size_t kBusBytes = size_t{1} << 28;
constexpr int kRuns = 12, kWarmUps = 2;

void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(result));
  exit(1);
}

/** Seconds of the fastest of ten runs, after two that warm up. */
double best(const std::function<void()>& run) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  double fastest = 1e30;
  for (int i = 0; i < kRuns; i++) {
    check(cudaEventRecord(begin), "cudaEventRecord");
    run();
    check(cudaEventRecord(end), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    if (i >= kWarmUps) fastest = std::min(fastest, milliseconds / 1e3);
  }
  return fastest;
}

/** Values like those of activations: a GPU is slower with them than with zeros. bfloat16 patterns in pairs, or
 * float32 ones. */
__global__ void fill(uint32_t* words, size_t count, bool pairs) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const uint32_t noise = static_cast<uint32_t>(i + 1) * 0x9e3779b1u;
  words[i] = pairs ? (noise & 0x83ff83ffu) | 0x3c003c00u : (noise & 0x83ffffffu) | 0x3c000000u;
}

/** Memory of `elements` values. */
void* operand(size_t elements, bool bf16) {
  const size_t words = bf16 ? elements / 2 : elements;
  void* memory = nullptr;
  check(cudaMalloc(&memory, words * 4), "cudaMalloc");
  fill<<<static_cast<unsigned>((words + 255) / 256), 256>>>(static_cast<uint32_t*>(memory), words, bf16);
  check(cudaGetLastError(), "fill");
  return memory;
}

double copyRate() {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  const size_t bytes = std::min(kCopyBytes, free / 4);
  void *from = nullptr, *to = nullptr;
  check(cudaMalloc(&from, bytes), "cudaMalloc");
  check(cudaMalloc(&to, bytes), "cudaMalloc");
  const double seconds = best(
      [&] { check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice), "cudaMemcpyAsync"); });
  cudaFree(from);
  cudaFree(to);
  return 2.0 * static_cast<double>(bytes) / seconds;
}

double busRate() {
  void *from = nullptr, *to = nullptr;
  check(cudaMallocHost(&from, kBusBytes), "cudaMallocHost");
  check(cudaMalloc(&to, kBusBytes), "cudaMalloc");
  const double seconds = best(
      [&] { check(cudaMemcpyAsync(to, from, kBusBytes, cudaMemcpyHostToDevice), "cudaMemcpyAsync"); });
  cudaFreeHost(from);
  cudaFree(to);
  return static_cast<double>(kBusBytes) / seconds;
}

/** The two functions of cuBLAS that are used, with the numbers of cublas_api.h and library_types.h. */
using Create = int (*)(void**);
using GemmEx = int (*)(void*, int, int, int, int, int, const void*, const void*, int, int, const void*, int,
                       int, const void*, void*, int, int, int, int);
constexpr int kTranspose = 1, kPlain = 0, kF32 = 0, kBf16 = 14, kComputeF32 = 68, kDefaultAlgorithm = -1;

/** out [rows, columns] = x [rows, depth] · weight [columns, depth]ᵀ; 0 where it fails. */
double gemmRate(GemmEx gemm, void* handle, bool bf16, int rows, int depth, int columns) {
  const size_t m = static_cast<size_t>(rows), k = static_cast<size_t>(depth), n = static_cast<size_t>(columns);
  void *x = operand(m * k, bf16), *weight = operand(n * k, bf16), *out = operand(m * n, false);
  const float one = 1, zero = 0;
  const int type = bf16 ? kBf16 : kF32;
  bool failed = false;
  const double seconds = best([&] {
    failed |= gemm(handle, kTranspose, kPlain, columns, rows, depth, &one, weight, type, depth, x, type, depth,
                   &zero, out, kF32, columns, kComputeF32, kDefaultAlgorithm) != 0;
  });
  cudaFree(x);
  cudaFree(weight);
  cudaFree(out);
  return failed ? 0 : 2.0 * rows * depth * columns / seconds;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    fprintf(stderr, "Expected ROWS DEPTH COLUMNS\n");
    return 2;
  }
  const int rows = atoi(arguments[1]), depth = atoi(arguments[2]), columns = atoi(arguments[3]);
  printf("{\"copyBytesPerSecond\":%.0f,\"busBytesPerSecond\":%.0f,\"cublas\":", copyRate(), busRate());

  void* library = nullptr;
  for (const char* name : {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11", "libcublas.so"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW);
  }
  const auto create = library == nullptr ? nullptr : reinterpret_cast<Create>(dlsym(library, "cublasCreate_v2"));
  const auto gemm = library == nullptr ? nullptr : reinterpret_cast<GemmEx>(dlsym(library, "cublasGemmEx"));
  void* handle = nullptr;
  if (create == nullptr || gemm == nullptr || create(&handle) != 0) {
    const char* reason = library == nullptr ? dlerror() : "it does not start";
    fprintf(stderr, "cuBLAS is left out: %s\n", reason == nullptr ? "not found" : reason);
    printf("null}\n");
    return 0;
  }
  printf("{\"bf16\":%.0f,\"f32\":%.0f}}\n", gemmRate(gemm, handle, true, rows, depth, columns),
         gemmRate(gemm, handle, false, rows, depth, columns));
}
