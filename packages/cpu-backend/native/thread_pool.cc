#include "thread_pool.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace airllm {
namespace {

constexpr uint32_t kOpen = 1u << 15;
constexpr uint32_t kJoined = kOpen - 1;
/** A chunk is one thread's part of what is left, divided by this: large ones first, small ones before the
 * end. */
constexpr size_t kSharesPerThread = 2;
constexpr auto kSpin = std::chrono::microseconds(40);

void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  __asm__ volatile("yield");
#endif
}

/** True as soon as `ready()`, false after kSpin. */
template <typename Ready>
bool spinUntil(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; i++) {
      if (ready()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  for (size_t thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  gate_.fetch_add(1u << 16);  // a value nobody has seen wakes every sleeper
  gate_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::takeChunks(const Job& job, size_t thread) {
  size_t begin = next_.load(std::memory_order_relaxed);
  while (begin < job.units) {
    const size_t share = (job.units - begin) / (kSharesPerThread * threads()) / job.chunk * job.chunk;
    const size_t end = begin + std::min(std::max(share, job.chunk), job.units - begin);
    if (!next_.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
    job.call(job.context, begin, end, thread);
    begin = next_.load(std::memory_order_relaxed);
  }
}

void ThreadPool::runJob(const Job& job) {
  if (workers_.empty() || job.units <= job.chunk) {
    if (job.units > 0) job.call(job.context, 0, job.units, 0);
    return;
  }
  job_ = job;
  next_.store(0, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  number_ = (number_ + 1) & 0xffff;
  gate_.store(number_ << 16 | kOpen);
  gate_.notify_all();
  takeChunks(job, 0);
  const uint32_t joined = gate_.fetch_and(~kOpen) & kJoined;
  const auto allFinished = [&] { return finished_.load(std::memory_order_acquire) == joined; };
  if (spinUntil(allFinished)) return;
  for (;;) {
    const uint32_t finished = finished_.load(std::memory_order_acquire);
    if (finished == joined) return;
    finished_.wait(finished, std::memory_order_acquire);
  }
}

uint32_t ThreadPool::awaitJob(uint32_t seen) {
  uint32_t gate = 0;
  const auto ready = [&] {
    gate = gate_.load(std::memory_order_acquire);
    return stopping_ || ((gate & kOpen) != 0 && gate >> 16 != seen);
  };
  while (!spinUntil(ready)) {
    // Joining changes the gate too: sleep until a value of another job appears.
    while (!ready()) gate_.wait(gate, std::memory_order_acquire);
  }
  return stopping_ ? 0 : gate;
}

void ThreadPool::work(size_t thread) {
  uint32_t seen = 0;
  for (;;) {
    uint32_t gate = awaitJob(seen);
    if (gate == 0) return;
    if (!gate_.compare_exchange_strong(gate, gate + 1, std::memory_order_acq_rel)) continue;
    seen = gate >> 16;
    takeChunks(job_, thread);
    finished_.fetch_add(1, std::memory_order_acq_rel);
    finished_.notify_one();
  }
}

}  // namespace airllm
