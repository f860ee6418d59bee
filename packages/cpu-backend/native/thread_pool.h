// A parallel-for over the calling thread and a fixed set of workers. One thread at a time may call it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace airllm {

/**
 * Work is taken in chunks from a shared counter by the caller and by whichever workers are awake, in smaller
 * ones the less is left: nobody waits long for a worker that the system has not scheduled. Workers spin for
 * some tens of microseconds after a job, which is longer than the gap between two ops of one submission, then
 * sleep.
 */
class ThreadPool {
 public:
  /** `threads` counts the caller. */
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const { return workers_.size() + 1; }

  /** Calls body(begin, end, thread) until [0, units) is covered; parts begin at multiples of `chunk`. */
  template <typename Body>
  void run(size_t units, size_t chunk, Body&& body) {
    const auto call = [](void* context, size_t begin, size_t end, size_t thread) {
      (*static_cast<std::remove_reference_t<Body>*>(context))(begin, end, thread);
    };
    runJob({call, &body, units, chunk == 0 ? 1 : chunk});
  }

 private:
  struct Job {
    void (*call)(void* context, size_t begin, size_t end, size_t thread);
    void* context;
    size_t units;
    size_t chunk;
  };

  void runJob(const Job& job);
  void takeChunks(const Job& job, size_t thread);
  void work(size_t thread);
  /** Waits for a gate value with an open job other than `seen`; 0 when stopping. */
  uint32_t awaitJob(uint32_t seen);

  Job job_{};
  alignas(64) std::atomic<size_t> next_{0};
  /** Job number (16 bits), open flag, workers that joined (15 bits): one word, so that joining is one step.
   */
  alignas(64) std::atomic<uint32_t> gate_{0};
  alignas(64) std::atomic<uint32_t> finished_{0};
  std::atomic<bool> stopping_{false};
  uint32_t number_ = 0;
  std::vector<std::thread> workers_;
};

}  // namespace airllm
