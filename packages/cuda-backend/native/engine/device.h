// The memory of one backend: what it may hold on the device, and blocks that give themselves back.
#pragma once

#include <atomic>
#include <memory>

#include "../driver/driver.h"
#include "memory.h"

namespace airllm {

/** A driver and the promise to hold no more than `limitBytes` of its device. */
class Device : public std::enable_shared_from_this<Device> {
 public:
  Device(std::unique_ptr<Driver> driver, size_t limitBytes)
      : driver_(std::move(driver)), limitBytes_(limitBytes) {}

  Driver& driver() { return *driver_; }
  size_t limitBytes() const { return limitBytes_; }
  size_t usedBytes() const { return usedBytes_; }

  /** Throws DriverError OUT_OF_DEVICE_MEMORY, with nothing taken. */
  std::shared_ptr<Memory> allocate(size_t byteLength);
  /** Page-locked. Throws DriverError OUT_OF_MEMORY. */
  std::shared_ptr<Memory> allocateHost(size_t byteLength);

 private:
  friend class DeviceBlock;
  std::unique_ptr<Driver> driver_;
  size_t limitBytes_;
  std::atomic<size_t> usedBytes_{0};
};

}  // namespace airllm
