// The queue, the ring and the budget on the emulated device, whose streams run at once where no event orders
// them.
#include "engine/engine.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

namespace airllm {
namespace {

constexpr size_t kStaging = 64 * 1024;

/** Hands on to the emulated driver, and refuses to wait once told to, as a device that was lost does. */
class FailingDriver : public Driver {
 public:
  explicit FailingDriver(std::unique_ptr<Driver> inner, bool* failing)
      : inner_(std::move(inner)), failing_(failing) {}
  DeviceDescription describe() override { return inner_->describe(); }
  uint8_t* allocate(size_t bytes) override { return inner_->allocate(bytes); }
  void release(uint8_t* memory) noexcept override { inner_->release(memory); }
  uint8_t* allocateHost(size_t bytes) override { return inner_->allocateHost(bytes); }
  void releaseHost(uint8_t* memory, size_t bytes) noexcept override { inner_->releaseHost(memory, bytes); }
  Stream createStream() override { return inner_->createStream(); }
  Event createEvent() override { return inner_->createEvent(); }
  void record(Event event, Stream stream) override { inner_->record(event, stream); }
  void wait(Stream stream, Event event) override { inner_->wait(stream, event); }
  void synchronize(Event event) override {
    inner_->synchronize(event);
    if (*failing_) throw DriverError("DEVICE_LOST", "an illegal address");
  }
  double secondsBetween(Event begin, Event end) override { return inner_->secondsBetween(begin, end); }
  void copy(Direction direction, Rows to, Rows from, size_t rowBytes, size_t rows, Stream stream) override {
    inner_->copy(direction, to, from, rowBytes, rows, stream);
  }
  void launch(const char* kernel, const LaunchGrid& grid, const void* arguments, size_t bytes,
              Stream stream) override {
    inner_->launch(kernel, grid, arguments, bytes, stream);
  }

 private:
  std::unique_ptr<Driver> inner_;
  bool* failing_;
};

std::unique_ptr<Driver> emulated() { return openDriver({"", 0, size_t{64} << 20}); }

/** An engine, and the tasks it has completed. */
struct Bench {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::unique_ptr<Task>> completed;
  Engine engine;

  explicit Bench(std::unique_ptr<Driver> driver = emulated(), size_t memoryBytes = size_t{40} << 20)
      : engine(std::move(driver), {memoryBytes, kStaging, 0, false}, [this](std::unique_ptr<Task> task) {
          {
            const std::lock_guard lock(mutex);
            completed.push_back(std::move(task));
          }
          came.notify_one();
        }) {}

  void await(size_t count) {
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return completed.size() >= count; });
  }
};

Matrix matrixIn(const Memory& arena, size_t offset, size_t rows, size_t cols) {
  return {reinterpret_cast<float*>(arena.data()) + offset, rows, cols, cols};
}

/** linear over a weight of the host: [rows, cols] of float32. */
void addLinear(Program& program, const std::shared_ptr<Memory>& host, size_t byteOffset, Matrix x,
               Matrix out) {
  const uint8_t* data = host->data() + byteOffset;
  program.reads.push_back({program.ops.size(), data, out.cols * x.cols * sizeof(float), host->onHost()});
  program.ops.push_back(
      LinearOp{x, {data, DType::kF32, out.cols, x.cols}, {nullptr, DType::kF32, 0, 0}, out});
  program.memory.push_back(host);
}

std::unique_ptr<Task> taskOf(Task::Kind kind, std::shared_ptr<Memory> memory, Matrix rows) {
  auto task = std::make_unique<Task>();
  task->kind = kind;
  task->memory = std::move(memory);
  task->rows = rows;
  task->data.resize(rows.rows * rows.cols);
  return task;
}

TEST_CASE("weights stream through the ring while earlier ones are used") {
  Bench bench;
  Device& device = bench.engine.device();
  const auto arena = device.allocate(4096);
  // 24 weights [16, 64] of 4 KB each: six fit a half of the ring, so a submission takes several turns.
  constexpr size_t kWeights = 24, kRows = 16, kCols = 64;
  const auto host = device.allocateHost(kWeights * kRows * kCols * sizeof(float));
  auto* values = reinterpret_cast<float*>(host->data());
  for (size_t i = 0; i < kWeights * kRows * kCols; i++)
    values[i] = static_cast<float>(i / (kRows * kCols) + 1);
  const Matrix x = matrixIn(*arena, 0, 1, kCols);
  auto ones = taskOf(Task::Kind::kWrite, arena, x);
  std::fill(ones->data.begin(), ones->data.end(), 1.0f);
  bench.engine.submit(std::move(ones));
  constexpr size_t kSubmissions = 5;
  for (size_t s = 0; s < kSubmissions; s++) {
    auto task = std::make_unique<Task>();
    task->program = std::make_unique<Program>();
    for (size_t i = 0; i < kWeights; i++) {
      addLinear(*task->program, host, i * kRows * kCols * sizeof(float), x,
                matrixIn(*arena, kCols + i * kRows, 1, kRows));
    }
    CHECK_NOTHROW(bench.engine.expectRoom(*task->program));
    bench.engine.submit(std::move(task));
  }
  bench.engine.submit(taskOf(Task::Kind::kRead, arena, matrixIn(*arena, kCols, kWeights, kRows)));
  bench.await(kSubmissions + 2);
  for (const auto& task : bench.completed) CHECK(task->errorCode == nullptr);
  const std::vector<float>& found = bench.completed.back()->data;
  // Weight i holds i + 1 everywhere, and x ones.
  for (size_t i = 0; i < found.size(); i++) CHECK(found[i] == static_cast<float>(kCols * (i / kRows + 1)));
}

TEST_CASE("an op that reads more than half of the ring is refused") {
  Bench bench;
  Device& device = bench.engine.device();
  const auto arena = device.allocate(65536), host = device.allocateHost(kStaging);
  const Matrix x = matrixIn(*arena, 0, 1, 1024);
  Program fits, large;
  addLinear(fits, host, 0, x, matrixIn(*arena, 1024, 1, 7));   // 28 KB of the 32 of a half
  addLinear(large, host, 0, x, matrixIn(*arena, 1024, 1, 8));  // 32 KB, and its alignment
  CHECK_NOTHROW(bench.engine.expectRoom(fits));
  CHECK_THROWS_AS(bench.engine.expectRoom(large), DriverError);
}

TEST_CASE("ranges that several ops and companions share are counted once") {
  Bench bench;
  const auto host = bench.engine.device().allocateHost(4096);
  Program program;
  program.ops.push_back(FillOp{});
  program.reads = {{0, host->data(), 1000, true},
                   {0, host->data() + 500, 1000, true},
                   {0, host->data() + 1500, 500, true}};
  // One range of 2000 bytes, and twice the alignment that a place may take.
  CHECK(largestOpBytes(program) == 2000 + 512);
}

TEST_CASE("the budget is kept, and a refusal takes nothing") {
  Bench bench;
  Device& device = bench.engine.device();
  const size_t before = device.usedBytes();
  CHECK_THROWS_AS(device.allocate(device.limitBytes()), DriverError);
  CHECK_THROWS_AS(device.allocate(~size_t{0}), DriverError);
  CHECK(device.usedBytes() == before);
  {
    const auto block = device.allocate(1000);
    CHECK(device.usedBytes() == before + 1024);  // rounded up to 512
  }
  CHECK(device.usedBytes() == before);
  CHECK_THROWS_AS(Bench(emulated(), size_t{65} << 20), DriverError);
}

TEST_CASE("pinned weights hold what the host had when they were pinned") {
  Bench bench;
  Device& device = bench.engine.device();
  const auto host = device.allocateHost(64), arena = device.allocate(256);
  auto* values = reinterpret_cast<float*>(host->data());
  for (int i = 0; i < 16; i++) values[i] = static_cast<float>(i);
  auto pin = std::make_unique<Task>();
  pin->kind = Task::Kind::kPin;
  pin->memory = host;
  pin->copy = device.allocate(64);
  const auto copy = pin->copy;
  bench.engine.submit(std::move(pin));
  bench.await(1);
  for (int i = 0; i < 16; i++) values[i] = -1;
  auto task = std::make_unique<Task>();
  task->program = std::make_unique<Program>();
  // A weight [16, 1] of 0 … 15 times 2.
  auto write = taskOf(Task::Kind::kWrite, arena, matrixIn(*arena, 0, 1, 1));
  write->data = {2.0f};
  bench.engine.submit(std::move(write));
  addLinear(*task->program, copy, 0, matrixIn(*arena, 0, 1, 1), matrixIn(*arena, 8, 1, 16));
  bench.engine.submit(std::move(task));
  bench.engine.submit(taskOf(Task::Kind::kRead, arena, matrixIn(*arena, 8, 1, 16)));
  bench.await(4);
  for (int i = 0; i < 16; i++)
    CHECK(bench.completed.back()->data[static_cast<size_t>(i)] == 2.0f * static_cast<float>(i));
}

TEST_CASE("after the device is lost every task says so") {
  bool failing = true;
  Bench bench(std::make_unique<FailingDriver>(emulated(), &failing));
  const auto arena = bench.engine.device().allocate(64);
  for (int i = 0; i < 3; i++)
    bench.engine.submit(taskOf(Task::Kind::kRead, arena, matrixIn(*arena, 0, 1, 4)));
  bench.await(3);
  for (const auto& task : bench.completed) {
    REQUIRE(task->errorCode != nullptr);
    CHECK(std::string(task->errorCode) == "DEVICE_LOST");
    CHECK(task->errorMessage.find("an illegal address") != std::string::npos);
  }
}

}  // namespace
}  // namespace airllm
