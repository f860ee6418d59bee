// Jobs that wait, first come first served: those into fresh memory to have it committed, then all to be dealt
// out as chunks, the requests that the disk sees.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "read_job.h"

namespace airllm {

/** A part of a job: [length] bytes from `fileOffset` on to `data`. */
struct Chunk {
  uint64_t job;
  int fd;
  uint8_t* data;
  size_t length;
  uint64_t fileOffset;
  size_t alignment;
};

/** The memory of a job, to be committed before it is read into. */
struct FreshMemory {
  uint64_t job;
  uint8_t* data;
  size_t length;
};

/**
 * Chunks end where the address is a multiple of `requestBytes`. Every dealt chunk is given back by `finish`;
 * a job completes, on the thread that gave its last one back, when all of it was.
 */
class ReadQueue {
 public:
  using Completed = std::function<void(std::unique_ptr<ReadJob>)>;

  /** `ready` is called, by any thread, when there is something to take. */
  ReadQueue(
      size_t requestBytes, Completed completed, std::function<void()> ready = [] {});

  /** Ids of jobs in the queue differ. */
  void submit(std::unique_ptr<ReadJob> job);
  /** What was not dealt yet is not read any more; the job completes with ECANCELED. */
  void cancel(uint64_t id);
  /** The next chunk if there is one. */
  std::optional<Chunk> tryTake();
  /** Waits for one; nothing when the queue has stopped. */
  std::optional<Chunk> take();
  /** Waits for memory to commit, which `committed` gives back; nothing when the queue has stopped. */
  std::optional<FreshMemory> takeFresh();
  void committed(const FreshMemory& memory);
  /** `arrived` bytes of it are there; `error` is an errno or 0. */
  void finish(const Chunk& chunk, size_t arrived, int error);
  /** Deals nothing more. Jobs that did not complete are dropped when the last chunk is back. */
  void stop();
  bool stopped();

 private:
  struct Entry {
    std::unique_ptr<ReadJob> job;
    size_t dealt = 0;
    /** Chunks, or its memory, that are with somebody. */
    size_t outstanding = 0;
    bool cancelled = false;
  };

  std::optional<Chunk> deal();
  std::unique_ptr<ReadJob> completeIfDone(uint64_t id);

  const size_t requestBytes_;
  const Completed completed_;
  const std::function<void()> ready_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable freshArrived_;
  std::unordered_map<uint64_t, Entry> entries_;
  /** Jobs whose memory is to be committed; some may be cancelled. */
  std::deque<uint64_t> fresh_;
  /** Jobs that are not dealt to their end; some may be cancelled. */
  std::deque<uint64_t> waiting_;
  bool stopped_ = false;
};

}  // namespace airllm
