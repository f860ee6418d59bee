#include "ring.h"

#if defined(__linux__)

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

namespace airllm {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

template <typename Value>
Value* at(void* base, uint32_t offset) {
  return reinterpret_cast<Value*>(static_cast<uint8_t*>(base) + offset);
}

}  // namespace

Ring::Ring(unsigned entries) {
  io_uring_params params{};
  fd_ = static_cast<int>(syscall(__NR_io_uring_setup, entries, &params));
  if (fd_ < 0) fail(errno, "io_uring_setup");
  try {
    map(params);
    if (!reads()) fail(EOPNOTSUPP, "io_uring without plain reads");
  } catch (...) {
    unmap();
    throw;
  }
}

Ring::~Ring() { unmap(); }

void Ring::map(const io_uring_params& params) {
  const auto mapped = [this](size_t length, uint64_t what) {
    void* address = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                         static_cast<off_t>(what));
    if (address == MAP_FAILED) fail(errno, "mmap of an io_uring");
    return address;
  };
  const size_t submissions = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  submissions_ = mapped(submissions, IORING_OFF_SQ_RING);
  submissionsLength_ = submissions;
  const size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  completions_ = mapped(completions, IORING_OFF_CQ_RING);
  completionsLength_ = completions;
  const size_t requests = params.sq_entries * sizeof(io_uring_sqe);
  entries_ = static_cast<io_uring_sqe*>(mapped(requests, IORING_OFF_SQES));
  entriesLength_ = requests;

  submissionTail_ = at<uint32_t>(submissions_, params.sq_off.tail);
  submissionIndex_ = at<uint32_t>(submissions_, params.sq_off.array);
  submissionMask_ = *at<uint32_t>(submissions_, params.sq_off.ring_mask);
  completionHead_ = at<uint32_t>(completions_, params.cq_off.head);
  completionTail_ = at<uint32_t>(completions_, params.cq_off.tail);
  completionMask_ = *at<uint32_t>(completions_, params.cq_off.ring_mask);
  completionEntries_ = at<io_uring_cqe>(completions_, params.cq_off.cqes);
}

void Ring::unmap() {
  if (entries_ != nullptr) munmap(entries_, entriesLength_);
  if (completions_ != nullptr) munmap(completions_, completionsLength_);
  if (submissions_ != nullptr) munmap(submissions_, submissionsLength_);
  close(fd_);
}

bool Ring::reads() const {
  constexpr unsigned kOps = IORING_OP_READ + 1;
  std::vector<uint8_t> room(sizeof(io_uring_probe) + kOps * sizeof(io_uring_probe_op));
  auto* probe = reinterpret_cast<io_uring_probe*>(room.data());
  if (syscall(__NR_io_uring_register, fd_, IORING_REGISTER_PROBE, probe, kOps) != 0) return false;
  return probe->ops_len > IORING_OP_READ && (probe->ops[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED) != 0;
}

io_uring_sqe& Ring::add() {
  // Only this thread moves the tail; the kernel has taken everything when enter returns.
  const uint32_t slot = (*submissionTail_ + added_) & submissionMask_;
  added_++;
  submissionIndex_[slot] = slot;
  io_uring_sqe& entry = entries_[slot];
  std::memset(&entry, 0, sizeof(entry));
  return entry;
}

int Ring::enter(std::vector<uint64_t>* refused) {
  __atomic_store_n(submissionTail_, *submissionTail_ + added_, __ATOMIC_RELEASE);
  unsigned left = added_;
  added_ = 0;
  for (;;) {
    // One at a time: of several at once the kernel makes larger requests, and a disk is faster with more of
    // them.
    const bool last = left <= 1;
    const long taken = syscall(__NR_io_uring_enter, fd_, last ? left : 1, last ? 1 : 0,
                               last ? IORING_ENTER_GETEVENTS : 0, nullptr, 0);
    if (taken >= 0) {
      left -= static_cast<unsigned>(taken);
      if (last && left == 0) return 0;
    } else if (errno != EINTR && errno != EAGAIN) {
      const int error = errno;
      for (; left > 0; left--) {
        const uint32_t end = *submissionTail_ - 1;
        refused->push_back(entries_[end & submissionMask_].user_data);
        __atomic_store_n(submissionTail_, end, __ATOMIC_RELEASE);
      }
      return error;
    }
  }
}

bool Ring::next(io_uring_cqe* completion) {
  const uint32_t head = *completionHead_;
  if (head == __atomic_load_n(completionTail_, __ATOMIC_ACQUIRE)) return false;
  *completion = completionEntries_[head & completionMask_];
  __atomic_store_n(completionHead_, head + 1, __ATOMIC_RELEASE);
  return true;
}

}  // namespace airllm

#endif
