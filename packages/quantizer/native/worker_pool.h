// Threads that take slices of jobs, first come first served. The JavaScript thread only ever adds a job.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace airllm {

/** Work in slices that may run at once. Derive to carry operands and results. */
struct Job {
  /** Runs slice number i of `slices`; each writes where no other does. */
  std::function<void(size_t slice)> run;
  size_t slices = 0;
  virtual ~Job() = default;

 private:
  friend class WorkerPool;
  size_t taken_ = 0;
  size_t finished_ = 0;
};

class WorkerPool {
 public:
  /**
   * `completed` is called by a worker when the last slice of a job has run. `background`: workers run where
   * nothing else would. Throws std::system_error.
   */
  WorkerPool(size_t threads, std::function<void(std::unique_ptr<Job>)> completed, bool background = false);
  /** Ends after the slices in progress; jobs that did not finish are dropped. */
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(std::unique_ptr<Job> job);

 private:
  void stop();
  void work();

  std::function<void(std::unique_ptr<Job>)> completed_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  /** Jobs with slices that nobody has taken. */
  std::deque<std::unique_ptr<Job>> waiting_;
  /** Jobs whose slices have all been taken and not all been finished. */
  std::vector<std::unique_ptr<Job>> running_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace airllm
