// The CUDA driver's library, opened when it is needed: the part of its API that is used, declared here so
// that a build needs no toolkit. Names and versions are those of cuda.h (CUDA 11 and later).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "driver.h"

namespace airllm {

using CudaResult = int;
using CudaDevice = int;
using CudaContext = struct CudaContextTag*;
using CudaModule = struct CudaModuleTag*;
using CudaFunction = struct CudaFunctionTag*;
using CudaStream = struct CudaStreamTag*;
using CudaEvent = struct CudaEventTag*;
using CudaAddress = unsigned long long;

/** CUDA_MEMCPY2D of cuda.h. */
struct CudaCopy2d {
  size_t srcXInBytes, srcY;
  int srcMemoryType;
  const void* srcHost;
  CudaAddress srcDevice;
  void* srcArray;
  size_t srcPitch;
  size_t dstXInBytes, dstY;
  int dstMemoryType;
  void* dstHost;
  CudaAddress dstDevice;
  void* dstArray;
  size_t dstPitch;
  size_t widthInBytes, height;
};

constexpr CudaResult kCudaSuccess = 0;
constexpr CudaResult kCudaOutOfMemory = 2;
constexpr CudaResult kCudaNoDevice = 100;

class CudaLibrary {
 public:
  /** Opens `path`, or libcuda.so.1. Throws DriverError BACKEND_UNAVAILABLE; the library stays open for the
   * process. */
  explicit CudaLibrary(const std::string& path);

  /** Throws DriverError for any result but success. */
  void check(CudaResult result, const char* call) const;
  std::string nameOf(CudaResult result) const;

  CudaResult (*init)(unsigned);
  CudaResult (*driverGetVersion)(int*);
  CudaResult (*getErrorName)(CudaResult, const char**);
  CudaResult (*deviceGetCount)(int*);
  CudaResult (*deviceGet)(CudaDevice*, int);
  CudaResult (*deviceGetName)(char*, int, CudaDevice);
  CudaResult (*deviceGetAttribute)(int*, int, CudaDevice);
  CudaResult (*deviceTotalMem)(size_t*, CudaDevice);
  CudaResult (*devicePrimaryCtxRetain)(CudaContext*, CudaDevice);
  CudaResult (*devicePrimaryCtxRelease)(CudaDevice);
  CudaResult (*ctxSetCurrent)(CudaContext);
  CudaResult (*memGetInfo)(size_t*, size_t*);
  CudaResult (*memAlloc)(CudaAddress*, size_t);
  CudaResult (*memFree)(CudaAddress);
  CudaResult (*memHostAlloc)(void**, size_t, unsigned);
  CudaResult (*memFreeHost)(void*);
  CudaResult (*streamCreate)(CudaStream*, unsigned);
  CudaResult (*eventCreate)(CudaEvent*, unsigned);
  CudaResult (*eventRecord)(CudaEvent, CudaStream);
  CudaResult (*eventSynchronize)(CudaEvent);
  CudaResult (*eventElapsedTime)(float*, CudaEvent, CudaEvent);
  CudaResult (*streamWaitEvent)(CudaStream, CudaEvent, unsigned);
  CudaResult (*memcpy2dAsync)(const CudaCopy2d*, CudaStream);
  CudaResult (*memcpyHtoDAsync)(CudaAddress, const void*, size_t, CudaStream);
  CudaResult (*memcpyDtoHAsync)(void*, CudaAddress, size_t, CudaStream);
  CudaResult (*moduleLoadData)(CudaModule*, const void*);
  CudaResult (*moduleGetFunction)(CudaFunction*, CudaModule, const char*);
  CudaResult (*launchKernel)(CudaFunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                             unsigned, CudaStream, void**, void**);
};

/** Name and attributes of a device; `freeBytes` is not known without a context. Throws DriverError. */
DeviceDescription describeDevice(const CudaLibrary& cuda, CudaDevice device);

}  // namespace airllm
