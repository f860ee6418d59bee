#include "page_committer.h"

namespace airllm {
namespace {

/** Fresh pages may have to come from a hypervisor, which holds up a core for milliseconds: two, so that one
 * goes on. */
constexpr size_t kThreads = 2;
constexpr size_t kSmallestPage = 4096;

/** Writes to every page. What it writes is of no importance: a read follows. */
void touch(const FreshMemory& memory) {
  volatile uint8_t* data = memory.data;
  for (size_t offset = 0; offset < memory.length; offset += kSmallestPage) data[offset] = 0;
  data[memory.length - 1] = 0;
}

}  // namespace

PageCommitter::PageCommitter(ReadQueue& queue) {
  try {
    while (threads_.size() < kThreads) {
      threads_.emplace_back([&queue] {
        while (const std::optional<FreshMemory> memory = queue.takeFresh()) {
          touch(*memory);
          queue.committed(*memory);
        }
      });
    }
  } catch (...) {
    queue.stop();
    for (std::thread& thread : threads_) thread.join();
    throw;
  }
}

PageCommitter::~PageCommitter() {
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace airllm
