// What the driver says of its devices, without a backend.
#pragma once

#include <string>
#include <vector>

#include "driver/driver.h"

namespace airllm {

struct Probe {
  std::string driverVersion;
  std::vector<DeviceDescription> devices;
};

/** Throws DriverError BACKEND_UNAVAILABLE with the reason. A broken library may do worse: ask in a process of
 * its own. */
Probe probeDevices(const std::string& library);

}  // namespace airllm
