// What the backend asks of a device: memory, streams, events, launches. One driver is CUDA's, one is
// emulated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace airllm {

/** A refusal, with the code of the compute contract that it becomes. */
struct DriverError : std::runtime_error {
  DriverError(const char* contractCode, const std::string& message)
      : std::runtime_error(message), code(contractCode) {}
  /** BACKEND_UNAVAILABLE, OUT_OF_DEVICE_MEMORY, OUT_OF_MEMORY or DEVICE_LOST. */
  const char* code;
};

struct DeviceDescription {
  std::string name;
  int computeMajor;
  int computeMinor;
  size_t totalBytes;
  size_t freeBytes;
};

struct LaunchGrid {
  unsigned x = 1;
  unsigned y = 1;
  unsigned threads = 256;
  size_t sharedBytes = 0;
};

/** Rows of bytes, `stride` bytes apart. */
struct Rows {
  uint8_t* data;
  size_t stride;
};

enum class Direction { kToDevice, kToHost };

using Stream = void*;
using Event = void*;

/** One device. Methods may be called from any thread, and throw DriverError. Streams and events live as long
 * as the driver. */
class Driver {
 public:
  virtual ~Driver() = default;

  virtual DeviceDescription describe() = 0;
  virtual uint8_t* allocate(size_t byteLength) = 0;
  virtual void release(uint8_t* memory) noexcept = 0;
  /** Page-locked, page-aligned memory of the host. */
  virtual uint8_t* allocateHost(size_t byteLength) = 0;
  virtual void releaseHost(uint8_t* memory, size_t byteLength) noexcept = 0;

  virtual Stream createStream() = 0;
  virtual Event createEvent() = 0;
  virtual void record(Event event, Stream stream) = 0;
  /** What is queued on the stream from now on waits for the event's latest record. */
  virtual void wait(Stream stream, Event event) = 0;
  /** Waits on the calling thread. */
  virtual void synchronize(Event event) = 0;
  /** Between two events that have come. */
  virtual double secondsBetween(Event begin, Event end) = 0;

  virtual void copy(Direction direction, Rows to, Rows from, size_t rowBytes, size_t rows, Stream stream) = 0;
  virtual void launch(const char* kernel, const LaunchGrid& grid, const void* arguments, size_t byteLength,
                      Stream stream) = 0;
};

struct DriverOptions {
  /** Default: the system's name of the driver's library. */
  std::string library;
  int device = 0;
  /** Of an emulated device. */
  size_t emulatedBytes = 0;
};

/** The driver that this addon was linked with. Throws DriverError BACKEND_UNAVAILABLE. */
std::unique_ptr<Driver> openDriver(const DriverOptions& options);

}  // namespace airllm
