// Every slice runs once, every job completes once; a pool ends with work left over.

#include "worker_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include "jobs.h"
#include "support.h"

using namespace airllm;
using namespace airllm::test;

TEST_CASE("slices of many jobs run once each") {
  constexpr size_t kJobs = 50, kSlices = 40;
  std::vector<std::atomic<int>> runs(kJobs * kSlices);
  std::atomic<size_t> completed{0};
  std::promise<void> all;
  WorkerPool pool(4, [&](std::unique_ptr<Job>) {
    if (++completed == kJobs) all.set_value();
  });
  for (size_t number = 0; number < kJobs; number++) {
    auto job = std::make_unique<Job>();
    job->slices = kSlices;
    job->run = [&runs, number](size_t slice) { runs[number * kSlices + slice]++; };
    pool.submit(std::move(job));
  }
  all.get_future().wait();
  for (const std::atomic<int>& count : runs) CHECK(count == 1);
}

TEST_CASE("a job without slices completes at once") {
  bool completed = false;
  WorkerPool pool(1, [&](std::unique_ptr<Job>) { completed = true; });
  pool.submit(std::make_unique<Job>());
  CHECK(completed);
}

TEST_CASE("a pool ends while jobs are waiting") {
  std::atomic<size_t> completed{0};
  {
    WorkerPool pool(2, [&](std::unique_ptr<Job>) { completed++; });
    for (size_t number = 0; number < 100; number++) {
      auto job = std::make_unique<Job>();
      job->slices = 1000;
      job->run = [](size_t) { std::this_thread::yield(); };
      pool.submit(std::move(job));
    }
  }
  CHECK(completed <= 100);
}

#if defined(__linux__)
TEST_CASE("threads in the background have the lowest priority, and those that start them keep theirs") {
  const auto nicenessOfWorker = [](bool background) {
    std::promise<int> niceness;
    WorkerPool pool(
        1, [](std::unique_ptr<Job>) {}, background);
    auto job = std::make_unique<Job>();
    job->slices = 1;
    job->run = [&](size_t) { niceness.set_value(getpriority(PRIO_PROCESS, 0)); };
    pool.submit(std::move(job));
    return niceness.get_future().get();
  };
  const int own = getpriority(PRIO_PROCESS, 0);
  CHECK(nicenessOfWorker(true) == 19);
  CHECK(nicenessOfWorker(false) == own);
  CHECK(getpriority(PRIO_PROCESS, 0) == own);
}
#endif

TEST_CASE("the parts of a job add up to those of one thread") {
  const std::vector<float> map = byteMap();
  const CodeTable table(map.data(), 256);
  const std::vector<float> source = gaussian(5 * kSliceElements + 100);
  const Kernels& kernels = *kernelsFor("auto");
  std::vector<uint8_t> codes(source.size());
  std::vector<float> absmax((source.size() + 2047) / 2048);
  const EncodeCodes job{&table,       2048,          SourceDType::kF32, bytesOf(source),
                        codes.data(), absmax.data(), source.size()};
  std::promise<std::vector<double>> result;
  WorkerPool pool(
      3, [&](std::unique_ptr<Job> done) { result.set_value(static_cast<ResultJob*>(done.get())->result()); });
  pool.submit(encodeCodesJob(kernels, job));
  const std::vector<double> sums = result.get_future().get();
  const std::vector<uint8_t> shared = codes;
  const ErrorSums alone = kernels.encodeCodes(job, 0, absmax.size());
  CHECK(codes == shared);
  CHECK(sums[0] == doctest::Approx(alone.source).epsilon(1e-9));
  CHECK(sums[1] == doctest::Approx(alone.error).epsilon(1e-9));
  CHECK(sums[4] == -1);
}
