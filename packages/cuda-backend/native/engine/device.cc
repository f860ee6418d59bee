#include "device.h"

namespace airllm {
namespace {

/** What drivers round allocations to. */
constexpr size_t kGranularity = 512;
constexpr size_t kPage = 4096;
/** No device has more; keeps sums from overflowing. */
constexpr size_t kLargest = size_t{1} << 48;

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

class HostBlock : public Memory {
 public:
  HostBlock(std::shared_ptr<Device> device, uint8_t* data, size_t byteLength, size_t lockedBytes)
      : Memory(data, byteLength, true), device_(std::move(device)), lockedBytes_(lockedBytes) {}
  ~HostBlock() override { device_->driver().releaseHost(data(), lockedBytes_); }

 private:
  std::shared_ptr<Device> device_;
  size_t lockedBytes_;
};

}  // namespace

class DeviceBlock : public Memory {
 public:
  DeviceBlock(std::shared_ptr<Device> device, uint8_t* data, size_t byteLength, size_t heldBytes)
      : Memory(data, byteLength, false), device_(std::move(device)), heldBytes_(heldBytes) {}
  ~DeviceBlock() override {
    device_->driver().release(data());
    device_->usedBytes_ -= heldBytes_;
  }

 private:
  std::shared_ptr<Device> device_;
  size_t heldBytes_;
};

std::shared_ptr<Memory> Device::allocate(size_t byteLength) {
  const size_t held =
      byteLength > kLargest ? kLargest : roundUp(byteLength == 0 ? 1 : byteLength, kGranularity);
  const size_t used = usedBytes_.fetch_add(held);
  try {
    if (held > limitBytes_ || used > limitBytes_ - held) {
      throw DriverError("OUT_OF_DEVICE_MEMORY",
                        "Expected " + std::to_string(byteLength) + " bytes within the " +
                            std::to_string(limitBytes_) +
                            " bytes of device memory that this backend may hold, of which it holds " +
                            std::to_string(used) + "; raise memoryBytes or ask for less");
    }
    return std::make_shared<DeviceBlock>(shared_from_this(), driver_->allocate(held), byteLength, held);
  } catch (...) {
    usedBytes_ -= held;
    throw;
  }
}

std::shared_ptr<Memory> Device::allocateHost(size_t byteLength) {
  if (byteLength > kLargest) {
    throw DriverError("OUT_OF_MEMORY",
                      "Expected to lock " + std::to_string(byteLength) + " bytes but no machine has them");
  }
  const size_t locked = roundUp(byteLength == 0 ? 1 : byteLength, kPage);
  return std::make_shared<HostBlock>(shared_from_this(), driver_->allocateHost(locked), byteLength, locked);
}

}  // namespace airllm
