#include <thread>
#include <vector>

#include "page_committer.h"
#include "positioned_read.h"
#include "reader.h"

namespace airllm {
namespace {

class ThreadReader final : public Reader {
 public:
  ThreadReader(const ReaderOptions& options, ReadQueue::Completed completed)
      : queue_(options.requestBytes, std::move(completed)), committer_(queue_) {
    try {
      while (threads_.size() < options.depth) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }

  ~ThreadReader() override { stop(); }

  void submit(std::unique_ptr<ReadJob> job) override { queue_.submit(std::move(job)); }
  void cancel(uint64_t id) override { queue_.cancel(id); }

 private:
  void work() {
    while (const std::optional<Chunk> chunk = queue_.take()) {
      const ReadResult result = readFully(*chunk);
      queue_.finish(*chunk, result.arrived, result.error);
    }
  }

  void stop() {
    queue_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  ReadQueue queue_;
  PageCommitter committer_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Reader> createThreadReader(const ReaderOptions& options, ReadQueue::Completed completed) {
  return std::make_unique<ThreadReader>(options, std::move(completed));
}

}  // namespace airllm
