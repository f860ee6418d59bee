// The queue between JavaScript and the compute threads: tasks run one after another, in order, on one driver
// thread that shares each op with the workers of its pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "executor.h"
#include "program.h"

namespace airllm {

/** What the scratch memory of a thread holds. */
constexpr Limits kLimits{SIZE_MAX, kMostLatentDim, kMostConvWidth, kMostKeyDim};

/** One thing to do in order: run a program, or copy rows between an arena and `data`. */
struct Task {
  enum class Kind { kRun, kRead, kWrite };

  Kind kind = Kind::kRun;
  std::unique_ptr<Program> program;
  /** Read and write: the rows, the arena they lie in, and their values packed row-major. */
  Matrix rows{};
  std::shared_ptr<Memory> memory;
  std::vector<float> data;
  /** Seconds spent on it, once completed. */
  double computeSeconds = 0;
  virtual ~Task() = default;
};

void packRows(const Matrix& rows, float* to);
void unpackRows(const float* from, const Matrix& rows);

class Engine {
 public:
  /** `completed` is called on the driver thread for every task that ran. Throws when threads cannot start. */
  Engine(const Kernels& kernels, const FastLinear* fast, size_t threads,
         std::function<void(std::unique_ptr<Task>)> completed);
  ~Engine();

  void submit(std::unique_ptr<Task> task);
  /** True when every submitted task has run: memory is then the caller's to read and write. */
  bool idle() const { return pending_.load(std::memory_order_acquire) == 0; }
  /** Ends after the op in progress; tasks that did not finish are dropped. */
  void stop();

 private:
  void drive();
  void perform(Task& task);

  Executor executor_;
  std::function<void(std::unique_ptr<Task>)> completed_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::unique_ptr<Task>> queue_;
  std::atomic<size_t> pending_{0};
  std::atomic<bool> stopping_{false};
  std::thread driver_;
};

}  // namespace airllm
