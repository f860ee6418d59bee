#include "engine.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "pages.h"
#include "support.h"

using namespace airllm;

TEST_CASE("the thread pool covers every unit exactly once") {
  for (const size_t threads : {1u, 2u, 5u}) {
    ThreadPool pool(threads);
    for (size_t round = 0; round < 400; round++) {
      const size_t units = round % 37;
      std::vector<std::atomic<int>> seen(units);
      pool.run(units, 1 + round % 4, [&](size_t begin, size_t end, size_t thread) {
        CHECK(thread < threads);
        for (size_t i = begin; i < end; i++) seen[i]++;
      });
      for (const auto& count : seen) CHECK(count == 1);
      // Now and then long enough for the workers to fall asleep.
      if (round % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
}

TEST_CASE("plain memory written by one job is seen by the next") {
  ThreadPool pool(4);
  std::vector<long> values(1000);
  for (size_t round = 0; round < 300; round++) {
    pool.run(values.size(), 7, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; i++) values[i]++;
    });
  }
  for (const long value : values) CHECK(value == 300);
}

TEST_CASE("tasks run in the order of submission and stop() drops the rest") {
  const std::shared_ptr<Pages> pages = Pages::map(4096, false);
  REQUIRE(pages != nullptr);
  float* data = reinterpret_cast<float*>(pages->data());
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<float> read;
  size_t completed = 0;
  {
    Engine engine(*kernelsFor("auto"), nullptr, 3, [&](std::unique_ptr<Task> task) {
      const std::lock_guard lock(mutex);
      completed++;
      if (task->kind == Task::Kind::kRead) read.push_back(task->data[0]);
      changed.notify_one();
    });
    for (size_t i = 0; i < 200; i++) {
      auto add = std::make_unique<Task>();
      add->program = std::make_unique<Program>();
      add->program->memory.push_back(pages);
      // data[0] += data[1] twice
      const AccumulateOp op{{data, 1, 1, 1}, {data + 1, 1, 1, 1}};
      add->program->ops = {op, op};
      auto write = std::make_unique<Task>();
      write->kind = Task::Kind::kWrite;
      write->rows = {data + 1, 1, 1, 1};
      write->memory = pages;
      write->data = {static_cast<float>(i)};
      auto readBack = std::make_unique<Task>();
      readBack->kind = Task::Kind::kRead;
      readBack->rows = {data, 1, 1, 1};
      readBack->memory = pages;
      readBack->data.resize(1);
      engine.submit(std::move(write));
      engine.submit(std::move(add));
      engine.submit(std::move(readBack));
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return completed == 600; });
    lock.unlock();
    CHECK(engine.idle());
    for (size_t i = 0; i < 50; i++) {
      auto dropped = std::make_unique<Task>();
      dropped->kind = Task::Kind::kRead;
      dropped->rows = {data, 1, 1, 1};
      dropped->memory = pages;
      dropped->data.resize(1);
      engine.submit(std::move(dropped));
    }
  }
  REQUIRE(read.size() >= 200);
  float sum = 0;
  for (size_t i = 0; i < 200; i++) {
    sum += 2 * static_cast<float>(i);
    CHECK(read[i] == sum);
  }
  CHECK(pages.use_count() == 1);
}

TEST_CASE("pages are zero, page aligned, and refused beyond any machine") {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{5} << 20}) {
    const std::shared_ptr<Pages> pages = Pages::map(bytes, true);
    REQUIRE(pages != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(pages->data()) % 4096 == 0);
    for (size_t i = 0; i < bytes; i += 4095) CHECK(pages->data()[i] == 0);
  }
  CHECK(Pages::map(size_t{1} << 62, false) == nullptr);
}
