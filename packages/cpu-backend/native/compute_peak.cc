#include "compute_peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "thread_pool.h"

namespace airllm {

double measureComputePeak(const Kernels& kernels, const FastLinear* fast, size_t threads, double seconds) {
  // Rounds of about a millisecond: on a busy machine some of them are not interrupted.
  constexpr size_t kRepeats = 20000, kTileRepeats = 2000;
  const std::unique_ptr<FastScratch[]> scratch(fast == nullptr ? nullptr : new FastScratch[threads]());
  ThreadPool pool(threads);
  double best = 0;
  const auto start = std::chrono::steady_clock::now();
  for (auto roundStart = start;
       best == 0 || std::chrono::duration<double>(roundStart - start).count() < seconds;) {
    std::atomic<size_t> products{0};
    pool.run(threads * 16, 1, [&](size_t begin, size_t end, size_t thread) {
      for (size_t i = begin; i < end; i++) {
        float keep[2] = {0.5f, 1.0f};
        products += fast == nullptr ? kernels.multiplyAdds(kRepeats, keep)
                                    : fast->products(kTileRepeats, scratch[thread]);
      }
    });
    const auto roundEnd = std::chrono::steady_clock::now();
    best = std::max(
        best, static_cast<double>(products) / std::chrono::duration<double>(roundEnd - roundStart).count());
    roundStart = roundEnd;
  }
  return best;
}

}  // namespace airllm
