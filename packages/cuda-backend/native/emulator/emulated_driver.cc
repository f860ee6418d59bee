// A device of the host's memory and threads: every stream is a thread, so that what is not ordered by events
// runs at once, as on a device. Its memory begins as garbage.

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "../driver/driver.h"
#include "emulator.h"

namespace airllm {
namespace {

constexpr size_t kAlignment = 256;
constexpr uint8_t kGarbage = 0xa5;

class EmulatedStream {
 public:
  EmulatedStream() : thread_([this] { run(); }) {}
  ~EmulatedStream() {
    push(nullptr);
    thread_.join();
  }
  void push(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    arrived_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !queue_.empty(); });
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      if (!work) return;
      work();
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> queue_;
  std::thread thread_;
};

/** Counts how often it was recorded, and how many of these records have come. */
struct EmulatedEvent {
  std::mutex mutex;
  std::condition_variable came;
  size_t recorded = 0;
  size_t reached = 0;
  std::chrono::steady_clock::time_point time;

  size_t latest() {
    const std::lock_guard lock(mutex);
    return recorded;
  }
  void await(size_t record) {
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return reached >= record; });
  }
};

class EmulatedDriver : public Driver {
 public:
  explicit EmulatedDriver(size_t totalBytes) : totalBytes_(totalBytes) {}
  ~EmulatedDriver() override {
    streams_.clear();
    for (const auto& [memory, byteLength] : allocated_) {
      ::operator delete (memory, std::align_val_t{kAlignment});
    }
  }

  DeviceDescription describe() override {
    const std::lock_guard lock(mutex_);
    return {"emulated device", 9, 0, totalBytes_, totalBytes_ - usedBytes_};
  }

  uint8_t* allocate(size_t byteLength) override {
    const std::lock_guard lock(mutex_);
    if (byteLength > totalBytes_ - usedBytes_) {
      throw DriverError("OUT_OF_DEVICE_MEMORY", "Expected " + std::to_string(byteLength) +
                                                    " bytes of device memory but " +
                                                    std::to_string(totalBytes_ - usedBytes_) + " are free");
    }
    auto* memory = static_cast<uint8_t*>(::operator new (byteLength, std::align_val_t{kAlignment}));
    memset(memory, kGarbage, byteLength);
    usedBytes_ += byteLength;
    allocated_[memory] = byteLength;
    return memory;
  }

  void release(uint8_t* memory) noexcept override {
    const std::lock_guard lock(mutex_);
    usedBytes_ -= allocated_[memory];
    allocated_.erase(memory);
    ::operator delete (memory, std::align_val_t{kAlignment});
  }

  uint8_t* allocateHost(size_t byteLength) override {
    void* memory =
        mmap(nullptr, byteLength, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw DriverError("OUT_OF_MEMORY", "Expected " + std::to_string(byteLength) +
                                             " bytes of host memory but the system refused");
    }
    return static_cast<uint8_t*>(memory);
  }

  void releaseHost(uint8_t* memory, size_t byteLength) noexcept override { munmap(memory, byteLength); }

  Stream createStream() override {
    const std::lock_guard lock(mutex_);
    return streams_.emplace_back(std::make_unique<EmulatedStream>()).get();
  }

  Event createEvent() override {
    const std::lock_guard lock(mutex_);
    return events_.emplace_back(std::make_unique<EmulatedEvent>()).get();
  }

  void record(Event event, Stream stream) override {
    auto* found = static_cast<EmulatedEvent*>(event);
    size_t record;
    {
      const std::lock_guard lock(found->mutex);
      record = ++found->recorded;
    }
    push(stream, [found, record] {
      const std::lock_guard lock(found->mutex);
      found->reached = record;
      found->time = std::chrono::steady_clock::now();
      found->came.notify_all();
    });
  }

  void wait(Stream stream, Event event) override {
    auto* found = static_cast<EmulatedEvent*>(event);
    push(stream, [found, record = found->latest()] { found->await(record); });
  }

  void synchronize(Event event) override {
    auto* found = static_cast<EmulatedEvent*>(event);
    found->await(found->latest());
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) throw DriverError("DEVICE_LOST", failure_);
  }

  double secondsBetween(Event begin, Event end) override {
    return std::chrono::duration<double>(static_cast<EmulatedEvent*>(end)->time -
                                         static_cast<EmulatedEvent*>(begin)->time)
        .count();
  }

  void copy(Direction, Rows to, Rows from, size_t rowBytes, size_t rows, Stream stream) override {
    push(stream, [=] {
      for (size_t r = 0; r < rows; r++)
        memcpy(to.data + r * to.stride, from.data + r * from.stride, rowBytes);
    });
  }

  void launch(const char* kernel, const LaunchGrid& grid, const void* arguments, size_t byteLength,
              Stream stream) override {
    const emulator::KernelFunction function = emulator::findKernel(kernel);
    if (function == nullptr) throw DriverError("DEVICE_LOST", std::string("Expected a kernel ") + kernel);
    const auto* bytes = static_cast<const uint64_t*>(arguments);
    std::vector<uint64_t> copy(bytes, bytes + byteLength / sizeof(uint64_t));
    push(stream, [this, function, grid, copy = std::move(copy)] {
      try {
        emulator::runGrid(function, {{grid.x, grid.y, 1}, grid.threads, grid.sharedBytes}, copy.data());
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        failure_ = error.what();
      }
    });
  }

 private:
  static void push(Stream stream, std::function<void()> work) {
    static_cast<EmulatedStream*>(stream)->push(std::move(work));
  }

  std::mutex mutex_;
  size_t totalBytes_;
  size_t usedBytes_ = 0;
  std::map<uint8_t*, size_t> allocated_;
  std::string failure_;
  std::vector<std::unique_ptr<EmulatedEvent>> events_;
  std::vector<std::unique_ptr<EmulatedStream>> streams_;
};

}  // namespace

std::unique_ptr<Driver> openDriver(const DriverOptions& options) {
  return std::make_unique<EmulatedDriver>(options.emulatedBytes);
}

}  // namespace airllm
