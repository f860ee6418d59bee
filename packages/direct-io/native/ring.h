// An io_uring by its system calls: set up, filled, entered, emptied, by one thread.
#pragma once

#if defined(__linux__)

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace airllm {

class Ring {
 public:
  /** Room for `entries` requests. Throws std::system_error where it cannot be had or lacks plain reads. */
  explicit Ring(unsigned entries);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /** An empty request, to be filled in; at most `entries` between two calls of enter. */
  io_uring_sqe& add();
  /**
   * Hands over what was added and waits for a completion. Returns 0, or the errno with which the kernel
   * refused; the user_data of what it did not take is then in `refused`.
   */
  int enter(std::vector<uint64_t>* refused);
  /** False when there is none. */
  bool next(io_uring_cqe* completion);

 private:
  void map(const io_uring_params& params);
  void unmap();
  bool reads() const;

  int fd_ = -1;
  void* submissions_ = nullptr;
  size_t submissionsLength_ = 0;
  void* completions_ = nullptr;
  size_t completionsLength_ = 0;
  io_uring_sqe* entries_ = nullptr;
  size_t entriesLength_ = 0;
  uint32_t* submissionTail_ = nullptr;
  uint32_t* submissionIndex_ = nullptr;
  uint32_t submissionMask_ = 0;
  uint32_t* completionHead_ = nullptr;
  uint32_t* completionTail_ = nullptr;
  uint32_t completionMask_ = 0;
  io_uring_cqe* completionEntries_ = nullptr;
  unsigned added_ = 0;
};

}  // namespace airllm

#endif
