#include "engine.h"

#include <algorithm>
#include <chrono>

namespace airllm {

void packRows(const Matrix& rows, float* to) {
  for (size_t r = 0; r < rows.rows; r++) {
    std::copy_n(rows.data + r * rows.stride, rows.cols, to + r * rows.cols);
  }
}

void unpackRows(const float* from, const Matrix& rows) {
  for (size_t r = 0; r < rows.rows; r++) {
    std::copy_n(from + r * rows.cols, rows.cols, rows.data + r * rows.stride);
  }
}

Engine::Engine(const Kernels& kernels, const FastLinear* fast, size_t threads,
               std::function<void(std::unique_ptr<Task>)> completed)
    : executor_(kernels, fast, threads), completed_(std::move(completed)), driver_([this] { drive(); }) {}

Engine::~Engine() { stop(); }

void Engine::submit(std::unique_ptr<Task> task) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  arrived_.notify_one();
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (driver_.joinable()) driver_.join();
  queue_.clear();
}

void Engine::drive() {
  for (;;) {
    std::unique_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    perform(*task);
    if (stopping_) return;
    // Memory goes before the news: whoever is told may count on the pages being free.
    task->program.reset();
    task->memory.reset();
    pending_.fetch_sub(1, std::memory_order_release);
    completed_(std::move(task));
  }
}

void Engine::perform(Task& task) {
  const auto start = std::chrono::steady_clock::now();
  switch (task.kind) {
    case Task::Kind::kRun:
      executor_.execute(*task.program, stopping_);
      break;
    case Task::Kind::kRead:
      packRows(task.rows, task.data.data());
      break;
    case Task::Kind::kWrite:
      unpackRows(task.data.data(), task.rows);
      break;
  }
  task.computeSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace airllm
