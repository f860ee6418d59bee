// The queue between JavaScript and the device. One thread queues tasks on the device's streams in order and
// does not wait for them; another waits for each to end and reports it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../launch/launcher.h"
#include "list_upload.h"
#include "weight_ring.h"

namespace airllm {

/** One thing to do in order: run a program, copy rows between an arena and `data`, or copy weights to the
 * device for good. */
struct Task {
  enum class Kind { kRun, kRead, kWrite, kPin };

  Kind kind = Kind::kRun;
  std::unique_ptr<Program> program;
  /** Read and write: the rows, the memory they lie in, and their values packed row-major. */
  Matrix rows{};
  std::vector<float> data;
  /** Kept alive: of read and write; source and copy of pin. */
  std::shared_ptr<Memory> memory;
  std::shared_ptr<Memory> copy;
  /** Once completed: seconds on the device, or the code and message of why it did not. */
  double computeSeconds = 0;
  const char* errorCode = nullptr;
  std::string errorMessage;
  virtual ~Task() = default;
};

struct EngineOptions {
  /** 0: what is free when the engine opens, but for a little. */
  size_t memoryBytes = 0;
  /** 0: a share of the memory. */
  size_t stagingBytes = 0;
  size_t workspaceBytes = 0;
  bool fast = false;
};

class Engine {
 public:
  /** `completed` is called on the waiting thread for every task that ended. Throws DriverError,
   * std::system_error. */
  Engine(std::unique_ptr<Driver> driver, const EngineOptions& options,
         std::function<void(std::unique_ptr<Task>)> completed);
  ~Engine();

  Device& device() { return *device_; }
  const DeviceDescription& description() const { return description_; }
  size_t stagingBytes() const { return stagingBytes_; }

  /** Throws DriverError OUT_OF_DEVICE_MEMORY where an op, or all of them, cannot be carried to the device at
   * once. */
  void expectRoom(const Program& program) const;
  void submit(std::unique_ptr<Task> task);
  /** Ends after what is queued on the device; tasks that are not are dropped. */
  void stop();

 private:
  /** A task on the device. */
  struct Running {
    std::unique_ptr<Task> task;
    Event begin = nullptr;
    Event end = nullptr;
  };

  void drive();
  void await();
  Running start(std::unique_ptr<Task> task);
  void queue(Task& task);
  void run(const Program& program);
  std::pair<Event, Event> events();
  void lose(Task& task, const char* code, const std::string& message);

  std::shared_ptr<Device> device_;
  DeviceDescription description_;
  size_t stagingBytes_ = 0;
  Stream compute_ = nullptr;
  Stream copies_ = nullptr;
  std::shared_ptr<Memory> workspace_;
  std::unique_ptr<WeightRing> ring_;
  std::unique_ptr<ListUpload> lists_;
  std::unique_ptr<Launcher> launcher_;
  std::function<void(std::unique_ptr<Task>)> completed_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable started_;
  std::deque<std::unique_ptr<Task>> queue_;
  std::deque<Running> running_;
  std::vector<std::pair<Event, Event>> freeEvents_;
  bool stopping_ = false;
  bool driverEnded_ = false;
  std::atomic<bool> lost_{false};
  std::string lostMessage_;
  std::thread driver_;
  std::thread waiter_;
};

}  // namespace airllm
