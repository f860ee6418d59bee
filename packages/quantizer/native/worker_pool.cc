#include "worker_pool.h"

#include <algorithm>

#include "background.h"

namespace airllm {

WorkerPool::WorkerPool(size_t threads, std::function<void(std::unique_ptr<Job>)> completed, bool background)
    : completed_(std::move(completed)) {
  try {
    for (size_t i = 0; i < threads; i++) {
      workers_.emplace_back([this, background] {
        if (background) yieldToOthers();
        work();
      });
    }
  } catch (...) {
    stop();
    throw;
  }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::submit(std::unique_ptr<Job> job) {
  if (job->slices == 0) {
    completed_(std::move(job));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  arrived_.notify_all();
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job* const job = waiting_.front().get();
    const size_t slice = job->taken_++;
    if (job->taken_ == job->slices) {
      running_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    lock.unlock();
    job->run(slice);
    lock.lock();
    if (++job->finished_ < job->slices) continue;
    const auto place =
        std::find_if(running_.begin(), running_.end(), [&](const auto& held) { return held.get() == job; });
    std::unique_ptr<Job> done = std::move(*place);
    running_.erase(place);
    lock.unlock();
    completed_(std::move(done));
    lock.lock();
  }
}

}  // namespace airllm
