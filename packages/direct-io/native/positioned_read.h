// Blocking reads at an offset, to the end of what was asked for or of the file.
#pragma once

#include "read_queue.h"

namespace airllm {

struct ReadResult {
  size_t arrived;
  /** 0 or an errno. */
  int error;
};

/** Goes on after interruptions and short reads. */
ReadResult readFully(const Chunk& chunk);

/** Has reads of the file pass the system's cache by where that is a property of the open file (macOS). */
bool bypassCache(int fd);

}  // namespace airllm
