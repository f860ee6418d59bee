#include "../probe.h"
#include "cuda_library.h"

namespace airllm {

Probe probeDevices(const std::string& library) {
  const CudaLibrary cuda(library);
  Probe found;
  int version = 0, count = 0;
  cuda.check(cuda.driverGetVersion(&version), "cuDriverGetVersion");
  found.driverVersion = std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  cuda.check(cuda.deviceGetCount(&count), "cuDeviceGetCount");
  for (int i = 0; i < count; i++) {
    CudaDevice device = 0;
    CudaContext context = nullptr;
    cuda.check(cuda.deviceGet(&device, i), "cuDeviceGet");
    DeviceDescription one = describeDevice(cuda, device);
    cuda.check(cuda.devicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    cuda.check(cuda.ctxSetCurrent(context), "cuCtxSetCurrent");
    cuda.check(cuda.memGetInfo(&one.freeBytes, &one.totalBytes), "cuMemGetInfo");
    cuda.check(cuda.devicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease");
    found.devices.push_back(one);
  }
  return found;
}

}  // namespace airllm
