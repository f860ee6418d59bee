// Threads that commit memory before it is read into: to zero pages costs as much as a read, and a request
// that does it keeps its place at the disk empty meanwhile.
#pragma once

#include <thread>
#include <vector>

#include "read_queue.h"

namespace airllm {

class PageCommitter {
 public:
  /** Works for the queue until that has stopped. Throws std::system_error. */
  explicit PageCommitter(ReadQueue& queue);
  /** Waits for the threads; the queue must have stopped. */
  ~PageCommitter();
  PageCommitter(const PageCommitter&) = delete;
  PageCommitter& operator=(const PageCommitter&) = delete;

 private:
  std::vector<std::thread> threads_;
};

}  // namespace airllm
