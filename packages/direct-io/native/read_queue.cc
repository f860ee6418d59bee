#include "read_queue.h"

#include <algorithm>
#include <cerrno>

namespace airllm {

ReadQueue::ReadQueue(size_t requestBytes, Completed completed, std::function<void()> ready)
    : requestBytes_(requestBytes), completed_(std::move(completed)), ready_(std::move(ready)) {}

void ReadQueue::submit(std::unique_ptr<ReadJob> job) {
  if (job->length == 0) return completed_(std::move(job));
  job->arrived = job->length;
  const bool fresh = job->fresh;
  {
    const std::lock_guard lock(mutex_);
    const uint64_t id = job->id;
    entries_.emplace(id, Entry{std::move(job)});
    (fresh ? fresh_ : waiting_).push_back(id);
  }
  if (fresh) {
    freshArrived_.notify_one();
  } else {
    arrived_.notify_all();
    ready_();
  }
}

std::optional<FreshMemory> ReadQueue::takeFresh() {
  std::unique_lock lock(mutex_);
  for (;;) {
    freshArrived_.wait(lock, [this] { return stopped_ || !fresh_.empty(); });
    if (stopped_) return std::nullopt;
    const uint64_t id = fresh_.front();
    fresh_.pop_front();
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.cancelled) continue;
    found->second.outstanding++;
    const ReadJob& job = *found->second.job;
    return FreshMemory{id, job.data, job.length};
  }
}

void ReadQueue::committed(const FreshMemory& memory) {
  std::unique_ptr<ReadJob> done;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(memory.job);
    entry.outstanding--;
    if (!entry.cancelled) waiting_.push_back(memory.job);
    done = completeIfDone(memory.job);
  }
  if (done != nullptr) return completed_(std::move(done));
  arrived_.notify_all();
  ready_();
}

void ReadQueue::cancel(uint64_t id) {
  std::unique_ptr<ReadJob> done;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    found->second.cancelled = true;
    done = completeIfDone(id);
  }
  if (done != nullptr) completed_(std::move(done));
}

std::optional<Chunk> ReadQueue::tryTake() {
  const std::lock_guard lock(mutex_);
  return deal();
}

std::optional<Chunk> ReadQueue::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_) return std::nullopt;
    if (std::optional<Chunk> chunk = deal()) return chunk;
    arrived_.wait(lock);
  }
}

std::optional<Chunk> ReadQueue::deal() {
  while (!stopped_ && !waiting_.empty()) {
    const uint64_t id = waiting_.front();
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.cancelled) {
      waiting_.pop_front();
      continue;
    }
    Entry& entry = found->second;
    const ReadJob& job = *entry.job;
    uint8_t* data = job.data + entry.dealt;
    const size_t toBoundary = requestBytes_ - reinterpret_cast<uintptr_t>(data) % requestBytes_;
    const size_t length = std::min(job.length - entry.dealt, toBoundary);
    const Chunk chunk{id, job.fd, data, length, job.fileOffset + entry.dealt, job.alignment};
    entry.dealt += length;
    entry.outstanding++;
    if (entry.dealt == job.length) waiting_.pop_front();
    return chunk;
  }
  return std::nullopt;
}

void ReadQueue::finish(const Chunk& chunk, size_t arrived, int error) {
  std::unique_ptr<ReadJob> done;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(chunk.job);
    ReadJob& job = *entry.job;
    if (arrived < chunk.length) {
      const size_t end = static_cast<size_t>(chunk.fileOffset - job.fileOffset) + arrived;
      job.arrived = std::min(job.arrived, end);
    }
    if (error != 0 && (job.error == 0 || chunk.fileOffset + arrived < job.errorOffset)) {
      job.error = error;
      job.errorOffset = chunk.fileOffset + arrived;
    }
    entry.outstanding--;
    done = completeIfDone(chunk.job);
  }
  if (done != nullptr) completed_(std::move(done));
}

std::unique_ptr<ReadJob> ReadQueue::completeIfDone(uint64_t id) {
  const auto found = entries_.find(id);
  Entry& entry = found->second;
  const bool whole = entry.dealt == entry.job->length;
  if (entry.outstanding > 0 || (!whole && !entry.cancelled) || stopped_) return nullptr;
  std::unique_ptr<ReadJob> job = std::move(entry.job);
  if (!whole && job->error == 0) {
    job->error = ECANCELED;
    job->errorOffset = job->fileOffset + entry.dealt;
  }
  if (!whole) job->arrived = std::min(job->arrived, entry.dealt);
  entries_.erase(found);
  return job;
}

void ReadQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  arrived_.notify_all();
  freshArrived_.notify_all();
  ready_();
}

bool ReadQueue::stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

}  // namespace airllm
