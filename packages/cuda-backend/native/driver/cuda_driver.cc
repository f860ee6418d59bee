// The driver of NVIDIA's devices, over the CUDA driver API.

#include <mutex>
#include <unordered_map>
#include <vector>

#include "cuda_library.h"
#include "embedded_kernels.h"

namespace airllm {
namespace {

constexpr unsigned kNonBlockingStream = 1;
constexpr unsigned kPortableHostMemory = 1;
constexpr int kHost = 1, kDevice = 2;
/** Turing: nvcc 13 compiles for nothing older. */
constexpr int kOldestCompute = 75;

class CudaDriver : public Driver {
 public:
  explicit CudaDriver(const DriverOptions& options) : cuda_(options.library) {
    int count = 0;
    cuda_.check(cuda_.deviceGetCount(&count), "cuDeviceGetCount");
    if (count == 0) unavailable("Expected an NVIDIA GPU but the driver sees none");
    if (options.device < 0 || options.device >= count) {
      unavailable("Expected a device below " + std::to_string(count) + " but received " +
                  std::to_string(options.device));
    }
    cuda_.check(cuda_.deviceGet(&device_, options.device), "cuDeviceGet");
    const DeviceDescription found = describeDevice(cuda_, device_);
    if (found.computeMajor * 10 + found.computeMinor < kOldestCompute) {
      unavailable("Expected a GPU of compute capability 7.5 or later but " + found.name + " has " +
                  std::to_string(found.computeMajor) + "." + std::to_string(found.computeMinor));
    }
    if (kEmbeddedKernelCount == 0) {
      unavailable(
          "Expected CUDA kernels but this addon was built without nvcc; install the CUDA toolkit (12.8 or "
          "later) and build again");
    }
    cuda_.check(cuda_.devicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain");
    enter();
    for (size_t i = 0; i < kEmbeddedKernelCount; i++) {
      CudaModule module = nullptr;
      const CudaResult loaded = cuda_.moduleLoadData(&module, kEmbeddedKernels[i]);
      // Of drivers older than the compiler some know neither its machine code nor its PTX.
      if (loaded != kCudaSuccess) {
        unavailable("Expected kernels that " + found.name + " can load but cuModuleLoadData says " +
                    cuda_.nameOf(loaded) + "; install a newer NVIDIA driver");
      }
      modules_.push_back(module);
    }
  }

  /** Streams, events and modules end with the context. */
  ~CudaDriver() override { cuda_.devicePrimaryCtxRelease(device_); }

  DeviceDescription describe() override {
    enter();
    DeviceDescription found = describeDevice(cuda_, device_);
    cuda_.check(cuda_.memGetInfo(&found.freeBytes, &found.totalBytes), "cuMemGetInfo");
    return found;
  }

  uint8_t* allocate(size_t byteLength) override {
    enter();
    CudaAddress address = 0;
    cuda_.check(cuda_.memAlloc(&address, byteLength), "cuMemAlloc");
    return reinterpret_cast<uint8_t*>(address);
  }

  void release(uint8_t* memory) noexcept override {
    if (cuda_.ctxSetCurrent(context_) == kCudaSuccess) cuda_.memFree(addressOf(memory));
  }

  uint8_t* allocateHost(size_t byteLength) override {
    enter();
    void* memory = nullptr;
    const CudaResult result = cuda_.memHostAlloc(&memory, byteLength, kPortableHostMemory);
    if (result == kCudaOutOfMemory) {
      throw DriverError("OUT_OF_MEMORY", "Expected to lock " + std::to_string(byteLength) +
                                             " bytes of host memory but the system refused; ask for less");
    }
    cuda_.check(result, "cuMemHostAlloc");
    return static_cast<uint8_t*>(memory);
  }

  void releaseHost(uint8_t* memory, size_t) noexcept override {
    if (cuda_.ctxSetCurrent(context_) == kCudaSuccess) cuda_.memFreeHost(memory);
  }

  Stream createStream() override {
    enter();
    CudaStream stream = nullptr;
    cuda_.check(cuda_.streamCreate(&stream, kNonBlockingStream), "cuStreamCreate");
    return stream;
  }

  Event createEvent() override {
    enter();
    CudaEvent event = nullptr;
    cuda_.check(cuda_.eventCreate(&event, 0), "cuEventCreate");
    return event;
  }

  void record(Event event, Stream stream) override {
    enter();
    cuda_.check(cuda_.eventRecord(static_cast<CudaEvent>(event), static_cast<CudaStream>(stream)),
                "cuEventRecord");
  }

  void wait(Stream stream, Event event) override {
    enter();
    cuda_.check(cuda_.streamWaitEvent(static_cast<CudaStream>(stream), static_cast<CudaEvent>(event), 0),
                "cuStreamWaitEvent");
  }

  void synchronize(Event event) override {
    enter();
    cuda_.check(cuda_.eventSynchronize(static_cast<CudaEvent>(event)), "cuEventSynchronize");
  }

  double secondsBetween(Event begin, Event end) override {
    enter();
    float milliseconds = 0;
    cuda_.check(
        cuda_.eventElapsedTime(&milliseconds, static_cast<CudaEvent>(begin), static_cast<CudaEvent>(end)),
        "cuEventElapsedTime");
    return milliseconds / 1000.0;
  }

  void copy(Direction direction, Rows to, Rows from, size_t rowBytes, size_t rows, Stream stream) override {
    enter();
    auto* queue = static_cast<CudaStream>(stream);
    const bool toDevice = direction == Direction::kToDevice;
    if (rows == 1 || (to.stride == rowBytes && from.stride == rowBytes)) {
      cuda_.check(toDevice ? cuda_.memcpyHtoDAsync(addressOf(to.data), from.data, rowBytes * rows, queue)
                           : cuda_.memcpyDtoHAsync(to.data, addressOf(from.data), rowBytes * rows, queue),
                  "cuMemcpyAsync");
      return;
    }
    CudaCopy2d rect{};
    rect.srcMemoryType = toDevice ? kHost : kDevice;
    rect.dstMemoryType = toDevice ? kDevice : kHost;
    rect.srcHost = from.data;
    rect.srcDevice = addressOf(from.data);
    rect.srcPitch = from.stride;
    rect.dstHost = to.data;
    rect.dstDevice = addressOf(to.data);
    rect.dstPitch = to.stride;
    rect.widthInBytes = rowBytes;
    rect.height = rows;
    cuda_.check(cuda_.memcpy2dAsync(&rect, queue), "cuMemcpy2DAsync");
  }

  void launch(const char* kernel, const LaunchGrid& grid, const void* arguments, size_t,
              Stream stream) override {
    enter();
    void* parameters[] = {const_cast<void*>(arguments)};
    cuda_.check(cuda_.launchKernel(function(kernel), grid.x, grid.y, 1, grid.threads, 1, 1,
                                   static_cast<unsigned>(grid.sharedBytes), static_cast<CudaStream>(stream),
                                   parameters, nullptr),
                kernel);
  }

 private:
  [[noreturn]] static void unavailable(const std::string& message) {
    throw DriverError("BACKEND_UNAVAILABLE", message);
  }
  static CudaAddress addressOf(const uint8_t* memory) { return reinterpret_cast<CudaAddress>(memory); }

  void enter() { cuda_.check(cuda_.ctxSetCurrent(context_), "cuCtxSetCurrent"); }

  CudaFunction function(const char* name) {
    const std::lock_guard lock(mutex_);
    CudaFunction& found = functions_[name];
    for (size_t i = 0; found == nullptr && i < modules_.size(); i++) {
      if (cuda_.moduleGetFunction(&found, modules_[i], name) != kCudaSuccess) found = nullptr;
    }
    if (found == nullptr)
      throw DriverError("DEVICE_LOST", std::string("Expected a kernel ") + name + " in the addon");
    return found;
  }

  CudaLibrary cuda_;
  CudaDevice device_ = 0;
  CudaContext context_ = nullptr;
  std::vector<CudaModule> modules_;
  std::mutex mutex_;
  std::unordered_map<std::string, CudaFunction> functions_;
};

}  // namespace

std::unique_ptr<Driver> openDriver(const DriverOptions& options) {
  return std::make_unique<CudaDriver>(options);
}

}  // namespace airllm
