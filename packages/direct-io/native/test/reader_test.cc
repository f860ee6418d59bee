// Both methods: what is read is what the file holds, whatever becomes of the file, and nothing outlives the
// reader.

#include "reader.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <system_error>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

using Create = std::function<std::unique_ptr<Reader>(const ReaderOptions&, ReadQueue::Completed)>;

struct Method {
  const char* name;
  Create create;
};

/** Those that this machine has; says which it lacks. */
std::vector<Method> methods() {
  std::vector<Method> all{{"threads", createThreadReader}};
  try {
    createRingReader({1, kPage}, [](std::unique_ptr<ReadJob>) {});
    all.push_back({"io_uring", createRingReader});
  } catch (const std::system_error& error) {
    MESSAGE("io_uring is not tested: " << std::string(error.what()));
  }
  return all;
}

}  // namespace

TEST_CASE("many reads at once, each to its place") {
  constexpr size_t kReads = 40, kLength = 10 * kPage + 100;
  const TestFile file(kReads * 3 * kPage + kLength);
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Inbox inbox;
    const auto reader = method.create({8, 4 * kPage}, inbox.receiver());
    std::vector<std::unique_ptr<Memory>> memories;
    for (size_t i = 0; i < kReads; i++) {
      memories.push_back(std::make_unique<Memory>(kLength));
      auto job = jobOf(i, file.fd, *memories[i], i * 3 * kPage);
      job->fresh = i % 2 == 0;
      reader->submit(std::move(job));
    }
    size_t ended = 0;
    while (ended < kReads) {
      for (const auto& job : inbox.await(1)) {
        ended++;
        CHECK(job->error == 0);
        CHECK(job->arrived == kLength);
        CHECK(memories[job->id]->holds(job->fileOffset, kLength));
      }
    }
  }
}

TEST_CASE("a read past the end of the file gets what is there") {
  const TestFile file(3 * kPage + 77);
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Inbox inbox;
    const auto reader = method.create({4, kPage}, inbox.receiver());
    Memory memory(8 * kPage), beyond(kPage);
    reader->submit(jobOf(1, file.fd, memory, kPage));
    const auto jobs = inbox.await(1);
    CHECK(jobs[0]->arrived == 2 * kPage + 77);
    CHECK(jobs[0]->error == 0);
    CHECK(memory.holds(kPage, 2 * kPage + 77));
    reader->submit(jobOf(2, file.fd, beyond, 9 * kPage));
    CHECK(inbox.await(1)[0]->arrived == 0);
  }
}

TEST_CASE("a file that is cut short while it is read ends early, and reads go on") {
  const TestFile file(64 * kPage), other(4 * kPage);
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    REQUIRE(ftruncate(file.fd, 64 * kPage) == 0);
    Inbox inbox;
    const auto reader = method.create({2, kPage}, inbox.receiver());
    Memory memory(64 * kPage), whole(4 * kPage);
    reader->submit(jobOf(1, file.fd, memory, 0));
    REQUIRE(ftruncate(file.fd, 5 * kPage + 3) == 0);
    const auto jobs = inbox.await(1);
    CHECK(jobs[0]->error == 0);
    CHECK(jobs[0]->arrived >= 5 * kPage + 3);
    reader->submit(jobOf(2, other.fd, whole, 0));
    CHECK(inbox.await(1)[0]->arrived == 4 * kPage);
    CHECK(whole.holds(0, 4 * kPage));
  }
}

TEST_CASE("a descriptor that cannot be read fails with its errno and offset") {
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Inbox inbox;
    const auto reader = method.create({4, kPage}, inbox.receiver());
    Memory memory(2 * kPage);
    reader->submit(jobOf(1, -1, memory, 5 * kPage));
    const auto jobs = inbox.await(1);
    CHECK(jobs[0]->error == EBADF);
    CHECK(jobs[0]->errorOffset == 5 * kPage);
    CHECK(jobs[0]->arrived == 0);
  }
}

TEST_CASE("a reader ends with reads in flight and waiting") {
  const TestFile file(256 * kPage);
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Inbox inbox;
    std::vector<std::unique_ptr<Memory>> memories;
    {
      const auto reader = method.create({4, kPage}, inbox.receiver());
      for (size_t i = 0; i < 50; i++) {
        memories.push_back(std::make_unique<Memory>(256 * kPage));
        reader->submit(jobOf(i, file.fd, *memories[i], 0));
      }
    }
    // Nothing writes to the memory any more: it is freed here.
    CHECK(inbox.size() <= 50);
  }
}

TEST_CASE("cancelled reads complete, and so do those around them") {
  const TestFile file(64 * kPage);
  for (const Method& method : methods()) {
    CAPTURE(method.name);
    Inbox inbox;
    const auto reader = method.create({1, kPage}, inbox.receiver());
    std::vector<std::unique_ptr<Memory>> memories;
    for (size_t i = 0; i < 20; i++) {
      memories.push_back(std::make_unique<Memory>(64 * kPage));
      reader->submit(jobOf(i, file.fd, *memories[i], 0));
    }
    for (uint64_t id = 1; id < 20; id += 2) reader->cancel(id);
    size_t ended = 0;
    while (ended < 20) {
      for (const auto& job : inbox.await(1)) {
        ended++;
        const bool whole = job->error == 0 && job->arrived == 64 * kPage;
        CHECK((whole || (job->id % 2 == 1 && job->error == ECANCELED)));
      }
    }
  }
}
