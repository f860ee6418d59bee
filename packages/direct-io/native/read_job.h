// One read of a range of a file into memory, and what came of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airllm {

/** Derive to carry what a completion needs. */
struct ReadJob {
  virtual ~ReadJob() = default;

  /** Chosen by the caller, to cancel by. */
  uint64_t id = 0;
  /** Stays open until the job completes. */
  int fd = -1;
  /** [length], stays valid until the job completes. */
  uint8_t* data = nullptr;
  size_t length = 0;
  uint64_t fileOffset = 0;
  /** A read that ends between multiples of this has met the end of the file: 4096 for direct reads, else 1.
   */
  size_t alignment = 1;
  /** Nothing has been written to the memory yet: its pages are committed before it is read into. */
  bool fresh = false;

  /** Bytes from the start on that are there; fewer than `length` where the file ended. */
  size_t arrived = 0;
  /** 0, or the errno of the first range in the file that failed; ECANCELED when it was not read to its end.
   */
  int error = 0;
  /** Where in the file that was. */
  uint64_t errorOffset = 0;
};

}  // namespace airllm
