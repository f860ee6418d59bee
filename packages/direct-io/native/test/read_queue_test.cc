// How jobs become chunks and chunks become results.

#include "read_queue.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

std::unique_ptr<ReadJob> jobAt(uintptr_t address, size_t length, bool fresh = false) {
  auto job = std::make_unique<ReadJob>();
  job->id = 1;
  job->data = reinterpret_cast<uint8_t*>(address);
  job->length = length;
  job->fileOffset = 1000;
  job->fresh = fresh;
  return job;
}

std::vector<Chunk> takeAll(ReadQueue& queue) {
  std::vector<Chunk> chunks;
  while (const std::optional<Chunk> chunk = queue.tryTake()) chunks.push_back(*chunk);
  return chunks;
}

std::vector<size_t> lengthsOf(ReadQueue& queue) {
  std::vector<size_t> lengths;
  for (const Chunk& chunk : takeAll(queue)) lengths.push_back(chunk.length);
  return lengths;
}

}  // namespace

TEST_CASE("chunks end at multiples of the request's size in memory") {
  Inbox inbox;
  ReadQueue queue(8192, inbox.receiver());
  queue.submit(jobAt(3 * 4096, 5 * 4096));
  CHECK(lengthsOf(queue) == std::vector<size_t>{4096, 8192, 8192});
}

TEST_CASE("fresh memory is committed before it is dealt, and others go on meanwhile") {
  Inbox inbox;
  size_t ready = 0;
  ReadQueue queue(8192, inbox.receiver(), [&] { ready++; });
  queue.submit(jobAt(8192, 2 * 8192, true));
  CHECK(ready == 0);
  CHECK_FALSE(queue.tryTake().has_value());
  const FreshMemory memory = *queue.takeFresh();
  CHECK(memory.data == reinterpret_cast<uint8_t*>(8192));
  CHECK(memory.length == 2 * 8192);
  auto other = jobAt(3 * 8192, 8192);
  other->id = 2;
  queue.submit(std::move(other));
  CHECK(queue.tryTake()->job == 2);
  queue.committed(memory);
  CHECK(ready == 2);
  CHECK(lengthsOf(queue) == std::vector<size_t>{8192, 8192});
}

TEST_CASE("a job is cancelled before its memory is committed, or while it is") {
  Inbox inbox;
  ReadQueue queue(8192, inbox.receiver());
  queue.submit(jobAt(8192, 8192, true));
  queue.cancel(1);
  CHECK(inbox.await(1)[0]->error == ECANCELED);
  auto second = jobAt(8192, 8192, true);
  second->id = 2;
  queue.submit(std::move(second));
  const FreshMemory memory = *queue.takeFresh();
  CHECK(memory.job == 2);
  queue.cancel(2);
  CHECK(inbox.size() == 0);
  queue.committed(memory);
  CHECK(inbox.await(1)[0]->error == ECANCELED);
  CHECK_FALSE(queue.tryTake().has_value());
}

TEST_CASE("a job completes with its last chunk, whatever their order") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 3 * 4096));
  const std::vector<Chunk> chunks = takeAll(queue);
  REQUIRE(chunks.size() == 3);
  CHECK(chunks[1].fileOffset == 1000 + 4096);
  queue.finish(chunks[2], 4096, 0);
  queue.finish(chunks[0], 4096, 0);
  CHECK(inbox.size() == 0);
  queue.finish(chunks[1], 4096, 0);
  const auto jobs = inbox.await(1);
  CHECK(jobs[0]->arrived == 3 * 4096);
  CHECK(jobs[0]->error == 0);
}

TEST_CASE("what arrived ends at the first gap, and the first error in the file counts") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 4 * 4096));
  const std::vector<Chunk> chunks = takeAll(queue);
  queue.finish(chunks[3], 0, EIO);
  queue.finish(chunks[2], 7, ENXIO);
  queue.finish(chunks[1], 100, 0);
  queue.finish(chunks[0], 4096, 0);
  const auto jobs = inbox.await(1);
  CHECK(jobs[0]->arrived == 4096 + 100);
  CHECK(jobs[0]->error == ENXIO);
  CHECK(jobs[0]->errorOffset == 1000 + 2 * 4096 + 7);
}

TEST_CASE("a cancelled job completes when its dealt chunks are back") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 4 * 4096));
  const Chunk first = *queue.tryTake();
  queue.cancel(1);
  CHECK_FALSE(queue.tryTake().has_value());
  CHECK(inbox.size() == 0);
  queue.finish(first, 4096, 0);
  const auto jobs = inbox.await(1);
  CHECK(jobs[0]->error == ECANCELED);
  CHECK(jobs[0]->errorOffset == 1000 + 4096);
  CHECK(jobs[0]->arrived == 4096);
}

TEST_CASE("a job that waits is cancelled at once, and those behind it go on") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 4096));
  auto second = jobAt(8192, 4096);
  second->id = 2;
  queue.submit(std::move(second));
  queue.cancel(1);
  CHECK(inbox.await(1)[0]->id == 1);
  CHECK(queue.tryTake()->job == 2);
}

TEST_CASE("an empty job completes at once, an unknown one cannot be cancelled") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 0));
  CHECK(inbox.await(1)[0]->arrived == 0);
  queue.cancel(99);
  CHECK(inbox.size() == 0);
}

TEST_CASE("a stopped queue deals nothing and completes nothing") {
  Inbox inbox;
  ReadQueue queue(4096, inbox.receiver());
  queue.submit(jobAt(4096, 2 * 4096));
  const Chunk first = *queue.tryTake();
  queue.stop();
  CHECK_FALSE(queue.take().has_value());
  queue.finish(first, 4096, 0);
  CHECK(inbox.size() == 0);
}
