#include <cerrno>
#include <system_error>

#include "page_committer.h"
#include "reader.h"
#include "ring.h"

#if defined(__linux__)

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace airllm {
namespace {

/** user_data of the request that wakes the thread when jobs arrive; others carry their slot. */
constexpr uint64_t kWake = UINT64_MAX;

class RingReader final : public Reader {
 public:
  RingReader(const ReaderOptions& options, ReadQueue::Completed completed)
      : queue_(options.requestBytes, std::move(completed), [this] { wake(); }),
        // One more for the wake.
        ring_(static_cast<unsigned>(options.depth + 1)),
        slots_(options.depth),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    for (size_t slot = 0; slot < options.depth; slot++) free_.push_back(slot);
    try {
      committer_ = std::make_unique<PageCommitter>(queue_);
      thread_ = std::thread([this] { run(); });
    } catch (...) {
      queue_.stop();
      committer_.reset();
      close(wake_);
      throw;
    }
  }

  ~RingReader() override {
    queue_.stop();
    thread_.join();
    committer_.reset();
    close(wake_);
  }

  void submit(std::unique_ptr<ReadJob> job) override { queue_.submit(std::move(job)); }

  void cancel(uint64_t id) override { queue_.cancel(id); }

 private:
  struct Slot {
    Chunk chunk{};
    size_t arrived = 0;
  };

  void wake() {
    const uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake.
    [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
  }

  void run() {
    awaitWake();
    while (!queue_.stopped() || free_.size() < slots_.size()) {
      while (!free_.empty()) {
        const std::optional<Chunk> chunk = queue_.tryTake();
        if (!chunk) break;
        slots_[free_.back()] = {*chunk, 0};
        request(free_.back());
        free_.pop_back();
      }
      std::vector<uint64_t> refused;
      const int error = ring_.enter(&refused);
      for (const uint64_t request : refused) {
        if (request != kWake) complete(static_cast<size_t>(request), -error);
      }
      io_uring_cqe completion;
      while (ring_.next(&completion)) {
        if (completion.user_data == kWake) {
          awaitWake();
        } else {
          complete(static_cast<size_t>(completion.user_data), completion.res);
        }
      }
    }
  }

  void awaitWake() {
    uint64_t count;
    [[maybe_unused]] const ssize_t read = ::read(wake_, &count, sizeof(count));
    io_uring_sqe& entry = ring_.add();
    entry.opcode = IORING_OP_POLL_ADD;
    entry.fd = wake_;
    entry.poll32_events = POLLIN;
    entry.user_data = kWake;
  }

  /** Asks for what is missing of a slot's chunk. */
  void request(size_t index) {
    const auto& [chunk, arrived] = slots_[index];
    io_uring_sqe& entry = ring_.add();
    entry.opcode = IORING_OP_READ;
    entry.fd = chunk.fd;
    entry.addr = reinterpret_cast<uint64_t>(chunk.data + arrived);
    entry.len = static_cast<uint32_t>(chunk.length - arrived);
    entry.off = chunk.fileOffset + arrived;
    entry.user_data = index;
  }

  void complete(size_t index, int result) {
    Slot& slot = slots_[index];
    if (result == -EINTR || result == -EAGAIN) return request(index);
    if (result > 0) {
      slot.arrived += static_cast<size_t>(result);
      const bool goesOn = slot.arrived < slot.chunk.length && slot.arrived % slot.chunk.alignment == 0;
      if (goesOn) return request(index);
    }
    free_.push_back(index);
    queue_.finish(slot.chunk, slot.arrived, result < 0 ? -result : 0);
  }

  ReadQueue queue_;
  Ring ring_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  int wake_;
  std::unique_ptr<PageCommitter> committer_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Reader> createRingReader(const ReaderOptions& options, ReadQueue::Completed completed) {
  return std::make_unique<RingReader>(options, std::move(completed));
}

}  // namespace airllm

#else

namespace airllm {

std::unique_ptr<Reader> createRingReader(const ReaderOptions&, ReadQueue::Completed) {
  throw std::system_error(ENOSYS, std::generic_category(), "io_uring");
}

}  // namespace airllm

#endif
