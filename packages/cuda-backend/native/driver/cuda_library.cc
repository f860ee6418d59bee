#include "cuda_library.h"

#include <dlfcn.h>

namespace airllm {
namespace {

/** CUDA 11: the oldest whose entry points are those used here. */
constexpr int kOldestDriver = 11000;
constexpr int kComputeMajor = 75;
constexpr int kComputeMinor = 76;

[[noreturn]] void unavailable(const std::string& message) {
  throw DriverError("BACKEND_UNAVAILABLE", message);
}

template <typename Function>
void find(void* library, Function& function, const char* name) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) {
    unavailable(std::string("Expected a CUDA driver with ") + name +
                " but the one installed is older; install a newer NVIDIA driver (CUDA 11 or later)");
  }
  function = reinterpret_cast<Function>(symbol);
}

}  // namespace

CudaLibrary::CudaLibrary(const std::string& path) {
  const std::string name = path.empty() ? "libcuda.so.1" : path;
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    unavailable("Expected the NVIDIA driver's library " + name +
                " but it does not load; install the NVIDIA driver. " + dlerror());
  }
  find(library, init, "cuInit");
  find(library, driverGetVersion, "cuDriverGetVersion");
  find(library, getErrorName, "cuGetErrorName");
  const CudaResult started = init(0);
  if (started == kCudaNoDevice)
    unavailable(
        "Expected an NVIDIA GPU but the driver sees none (CUDA_VISIBLE_DEVICES hides them when it is empty)");
  if (started != kCudaSuccess)
    unavailable("Expected the CUDA driver to start but cuInit says " + nameOf(started));
  int version = 0;
  check(driverGetVersion(&version), "cuDriverGetVersion");
  if (version < kOldestDriver) {
    unavailable("Expected an NVIDIA driver for CUDA 11 or later but it is for " +
                std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10) +
                "; install a newer one");
  }
  find(library, deviceGetCount, "cuDeviceGetCount");
  find(library, deviceGet, "cuDeviceGet");
  find(library, deviceGetName, "cuDeviceGetName");
  find(library, deviceGetAttribute, "cuDeviceGetAttribute");
  find(library, deviceTotalMem, "cuDeviceTotalMem_v2");
  find(library, devicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  find(library, devicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
  find(library, ctxSetCurrent, "cuCtxSetCurrent");
  find(library, memGetInfo, "cuMemGetInfo_v2");
  find(library, memAlloc, "cuMemAlloc_v2");
  find(library, memFree, "cuMemFree_v2");
  find(library, memHostAlloc, "cuMemHostAlloc");
  find(library, memFreeHost, "cuMemFreeHost");
  find(library, streamCreate, "cuStreamCreate");
  find(library, eventCreate, "cuEventCreate");
  find(library, eventRecord, "cuEventRecord");
  find(library, eventSynchronize, "cuEventSynchronize");
  find(library, eventElapsedTime, "cuEventElapsedTime");
  find(library, streamWaitEvent, "cuStreamWaitEvent");
  find(library, memcpy2dAsync, "cuMemcpy2DAsync_v2");
  find(library, memcpyHtoDAsync, "cuMemcpyHtoDAsync_v2");
  find(library, memcpyDtoHAsync, "cuMemcpyDtoHAsync_v2");
  find(library, moduleLoadData, "cuModuleLoadData");
  find(library, moduleGetFunction, "cuModuleGetFunction");
  find(library, launchKernel, "cuLaunchKernel");
}

std::string CudaLibrary::nameOf(CudaResult result) const {
  const char* name = nullptr;
  if (getErrorName(result, &name) != kCudaSuccess || name == nullptr)
    return "error " + std::to_string(result);
  return name;
}

void CudaLibrary::check(CudaResult result, const char* call) const {
  if (result == kCudaSuccess) return;
  const bool full = result == kCudaOutOfMemory;
  throw DriverError(full ? "OUT_OF_DEVICE_MEMORY" : "DEVICE_LOST",
                    std::string("Expected ") + call + " to succeed but the CUDA driver says " +
                        nameOf(result) +
                        (full ? "; lower memoryBytes or free device memory" : "; open another backend"));
}

DeviceDescription describeDevice(const CudaLibrary& cuda, CudaDevice device) {
  DeviceDescription found{};
  char name[256] = {};
  cuda.check(cuda.deviceGetName(name, sizeof name - 1, device), "cuDeviceGetName");
  found.name = name;
  cuda.check(cuda.deviceGetAttribute(&found.computeMajor, kComputeMajor, device), "cuDeviceGetAttribute");
  cuda.check(cuda.deviceGetAttribute(&found.computeMinor, kComputeMinor, device), "cuDeviceGetAttribute");
  cuda.check(cuda.deviceTotalMem(&found.totalBytes, device), "cuDeviceTotalMem");
  return found;
}

}  // namespace airllm
