// What reads: one queue of one device, behind either method.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "read_queue.h"

namespace airllm {

struct ReaderOptions {
  /** Requests in flight. */
  size_t depth;
  /** Bytes of a request, a multiple of 4096. */
  size_t requestBytes;
};

/** `submit` and `cancel` never wait for a disk. Ends when the requests in flight have. */
class Reader {
 public:
  virtual ~Reader() = default;
  virtual void submit(std::unique_ptr<ReadJob> job) = 0;
  virtual void cancel(uint64_t id) = 0;
};

/** Threads of its own that block in reads, one request each. Throws std::system_error. */
std::unique_ptr<Reader> createThreadReader(const ReaderOptions&, ReadQueue::Completed);

/** One thread with an io_uring. Throws std::system_error where the kernel, or what confines the process,
 * refuses. */
std::unique_ptr<Reader> createRingReader(const ReaderOptions&, ReadQueue::Completed);

}  // namespace airllm
