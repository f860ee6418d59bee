// Files and memory for tests, and a place where completed reads arrive.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reader.h"

namespace airllm::test {

constexpr size_t kPage = 4096;

/** Byte number i of every test file. */
inline uint8_t byteAt(size_t i) { return static_cast<uint8_t>((i * 2654435761u) >> 13); }

/** A file of `length` bytes that is removed from its folder at once and lives until it is closed. */
class TestFile {
 public:
  explicit TestFile(size_t length) {
    const char* folder = std::getenv("TMPDIR");
    std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/airllm-direct-io-XXXXXX";
    fd = mkstemp(path.data());
    if (fd < 0) throw std::runtime_error("no temporary file");
    unlink(path.c_str());
    std::vector<uint8_t> bytes(length);
    for (size_t i = 0; i < length; i++) bytes[i] = byteAt(i);
    if (write(fd, bytes.data(), length) != static_cast<ssize_t>(length)) throw std::runtime_error("no room");
  }
  ~TestFile() { close(fd); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  int fd;
};

/** Page-aligned bytes. */
class Memory {
 public:
  explicit Memory(size_t length)
      : length(length),
        data(static_cast<uint8_t*>(std::aligned_alloc(kPage, (length + kPage - 1) / kPage * kPage))) {
    std::fill_n(data, length, uint8_t{0});
  }
  ~Memory() { std::free(data); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /** True when [0, count) hold the file's bytes from `offset` on. */
  bool holds(size_t offset, size_t count) const {
    for (size_t i = 0; i < count; i++) {
      if (data[i] != byteAt(offset + i)) return false;
    }
    return true;
  }

  const size_t length;
  uint8_t* const data;
};

inline std::unique_ptr<ReadJob> jobOf(uint64_t id, int fd, Memory& memory, uint64_t fileOffset) {
  auto job = std::make_unique<ReadJob>();
  job->id = id;
  job->fd = fd;
  job->data = memory.data;
  job->length = memory.length;
  job->fileOffset = fileOffset;
  return job;
}

/** Collects completed jobs. */
class Inbox {
 public:
  ReadQueue::Completed receiver() {
    return [this](std::unique_ptr<ReadJob> job) {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
      arrived_.notify_all();
    };
  }

  /** Waits until `count` jobs are there and takes all. */
  std::vector<std::unique_ptr<ReadJob>> await(size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return jobs_.size() >= count; });
    return std::exchange(jobs_, {});
  }

  size_t size() {
    const std::lock_guard lock(mutex_);
    return jobs_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::unique_ptr<ReadJob>> jobs_;
};

}  // namespace airllm::test
