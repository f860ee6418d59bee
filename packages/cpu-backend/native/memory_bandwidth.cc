#include "memory_bandwidth.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <new>

#include "pages.h"
#include "thread_pool.h"

namespace airllm {

double measureMemoryBandwidth(const Kernels& kernels, size_t bytes, size_t threads, double seconds) {
  constexpr size_t kPiece = size_t{1} << 20;
  const size_t pieces = std::max(bytes / kPiece, threads);
  const std::shared_ptr<Pages> pages = Pages::map(pieces * kPiece, true);
  if (pages == nullptr) throw std::bad_alloc();
  ThreadPool pool(threads);
  const size_t share = (pieces + threads - 1) / threads;
  pool.run(pieces, share, [&](size_t begin, size_t end, size_t) {
    std::memset(pages->data() + begin * kPiece, 1, (end - begin) * kPiece);
  });

  std::atomic<float> keep{0};
  double best = 0;
  const auto start = std::chrono::steady_clock::now();
  for (auto passStart = start;
       best == 0 || std::chrono::duration<double>(passStart - start).count() < seconds;) {
    pool.run(pieces, 4, [&](size_t begin, size_t end, size_t) {
      keep = kernels.readAll(pages->data() + begin * kPiece, (end - begin) * kPiece);
    });
    const auto passEnd = std::chrono::steady_clock::now();
    const double elapsed = std::chrono::duration<double>(passEnd - passStart).count();
    best = std::max(best, static_cast<double>(pieces * kPiece) / elapsed);
    passStart = passEnd;
  }
  return best;
}

}  // namespace airllm
