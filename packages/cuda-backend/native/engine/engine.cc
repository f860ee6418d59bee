#include "engine.h"

#include <algorithm>
#include <tuple>

namespace airllm {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;
/** Left to the driver and to others when the limit is what is free. */
constexpr size_t kLeftFree = 256 * kMegabyte;
/** Defaults: an eighth of the memory for weights on their way, a sixteenth for what ops need in between,
 * within these. */
constexpr size_t kMostStaging = 1024 * kMegabyte, kLeastStaging = 2 * kMegabyte;
constexpr size_t kMostWorkspace = 256 * kMegabyte, kLeastWorkspace = 4 * kMegabyte;

size_t limitOf(const DeviceDescription& device, size_t wanted) {
  if (wanted > device.freeBytes) {
    throw DriverError("OUT_OF_DEVICE_MEMORY", "Expected " + std::to_string(wanted) +
                                                  " bytes of device memory but " +
                                                  std::to_string(device.freeBytes) + " of " + device.name +
                                                  " are free; lower memoryBytes");
  }
  if (wanted > 0) return wanted;
  return device.freeBytes > 2 * kLeftFree ? device.freeBytes - kLeftFree : device.freeBytes / 2;
}

}  // namespace

Engine::Engine(std::unique_ptr<Driver> driver, const EngineOptions& options,
               std::function<void(std::unique_ptr<Task>)> completed)
    : description_(driver->describe()), completed_(std::move(completed)) {
  const size_t limit = limitOf(description_, options.memoryBytes);
  device_ = std::make_shared<Device>(std::move(driver), limit);
  stagingBytes_ =
      options.stagingBytes > 0 ? options.stagingBytes : std::clamp(limit / 8, kLeastStaging, kMostStaging);
  const size_t workspaceBytes = options.workspaceBytes > 0
                                    ? options.workspaceBytes
                                    : std::clamp(limit / 16, kLeastWorkspace, kMostWorkspace);
  Driver& on = device_->driver();
  compute_ = on.createStream();
  copies_ = on.createStream();
  workspace_ = device_->allocate(workspaceBytes);
  ring_ = std::make_unique<WeightRing>(*device_, stagingBytes_, copies_, compute_);
  lists_ = std::make_unique<ListUpload>(device_, compute_);
  launcher_ = std::make_unique<Launcher>(on, compute_, reinterpret_cast<float*>(workspace_->data()),
                                         workspaceBytes / sizeof(float), options.fast);
  driver_ = std::thread([this] { drive(); });
  try {
    waiter_ = std::thread([this] { await(); });
  } catch (...) {
    stop();
    throw;
  }
}

Engine::~Engine() { stop(); }

void Engine::expectRoom(const Program& program) const {
  launcher_->expectRoom(program);
  lists_->expectRoom(ListUpload::byteLengthOf(program));
  const size_t needed = largestOpBytes(program);
  if (needed <= ring_->opBytes()) return;
  throw DriverError("OUT_OF_DEVICE_MEMORY",
                    "Expected at most " + std::to_string(ring_->opBytes()) +
                        " bytes of host weights in one command but received " + std::to_string(needed) +
                        "; take fewer rows at a time, pin the weight or raise stagingBytes");
}

void Engine::submit(std::unique_ptr<Task> task) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  arrived_.notify_one();
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  if (driver_.joinable()) driver_.join();
  {
    const std::lock_guard lock(mutex_);
    driverEnded_ = true;
  }
  started_.notify_all();
  if (waiter_.joinable()) waiter_.join();
  queue_.clear();
}

void Engine::drive() {
  for (;;) {
    std::unique_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    Running running = start(std::move(task));
    {
      const std::lock_guard lock(mutex_);
      running_.push_back(std::move(running));
    }
    started_.notify_one();
  }
}

Engine::Running Engine::start(std::unique_ptr<Task> task) {
  Running running{std::move(task)};
  if (lost_) return running;
  Driver& on = device_->driver();
  try {
    std::tie(running.begin, running.end) = events();
    on.record(running.begin, compute_);
    queue(*running.task);
    on.record(running.end, compute_);
  } catch (const DriverError& error) {
    lose(*running.task, error.code, error.what());
    // What was queued before it may still run, in the task's memory.
    try {
      if (running.end != nullptr) on.record(running.end, compute_);
    } catch (const DriverError&) {
      running.end = nullptr;
    }
  }
  return running;
}

void Engine::queue(Task& task) {
  Driver& on = device_->driver();
  const Matrix& m = task.rows;
  const size_t rowBytes = m.cols * sizeof(float);
  const Rows tensor{reinterpret_cast<uint8_t*>(m.data), m.stride * sizeof(float)};
  const Rows packed{reinterpret_cast<uint8_t*>(task.data.data()), rowBytes};
  switch (task.kind) {
    case Task::Kind::kRun:
      return run(*task.program);
    case Task::Kind::kRead:
      if (m.rows > 0) on.copy(Direction::kToHost, packed, tensor, rowBytes, m.rows, compute_);
      return;
    case Task::Kind::kWrite:
      if (m.rows > 0) on.copy(Direction::kToDevice, tensor, packed, rowBytes, m.rows, compute_);
      return;
    case Task::Kind::kPin: {
      const size_t bytes = task.memory->byteLength();
      if (bytes > 0)
        on.copy(Direction::kToDevice, {task.copy->data(), bytes}, {task.memory->data(), bytes}, bytes, 1,
                compute_);
    }
  }
}

void Engine::run(const Program& program) {
  Relocations weights, lists;
  lists_->upload(program, lists);
  launcher_->begin(program);
  for (size_t op = 0; op < program.ops.size();) {
    const size_t end = ring_->load(program, op, weights);
    for (; op < end; op++) launcher_->run(relocated(program.ops[op], weights, lists));
    ring_->release();
  }
  lists_->release();
}

std::pair<Event, Event> Engine::events() {
  {
    const std::lock_guard lock(mutex_);
    if (!freeEvents_.empty()) {
      const auto found = freeEvents_.back();
      freeEvents_.pop_back();
      return found;
    }
  }
  return {device_->driver().createEvent(), device_->driver().createEvent()};
}

void Engine::lose(Task& task, const char* code, const std::string& message) {
  {
    const std::lock_guard lock(mutex_);
    if (!lost_) lostMessage_ = message;
  }
  lost_ = true;
  task.errorCode = code;
  task.errorMessage = message;
}

void Engine::await() {
  for (;;) {
    Running running;
    {
      std::unique_lock lock(mutex_);
      started_.wait(lock, [this] { return driverEnded_ || !running_.empty(); });
      if (running_.empty()) return;
      running = std::move(running_.front());
      running_.pop_front();
    }
    Task& task = *running.task;
    if (running.end != nullptr) {
      // Also of a device that is lost: nothing may touch the task's memory once it is given back.
      try {
        device_->driver().synchronize(running.end);
        if (task.errorCode == nullptr && !lost_) {
          task.computeSeconds = device_->driver().secondsBetween(running.begin, running.end);
          const std::lock_guard lock(mutex_);
          freeEvents_.emplace_back(running.begin, running.end);
        }
      } catch (const DriverError& error) {
        if (task.errorCode == nullptr) lose(task, "DEVICE_LOST", error.what());
      }
    }
    if (task.errorCode == nullptr && lost_) {
      task.errorCode = "DEVICE_LOST";
      const std::lock_guard lock(mutex_);
      task.errorMessage = "Expected a device at work but it was lost: " + lostMessage_;
    }
    // Memory goes before the news: whoever is told may count on it being free.
    task.program.reset();
    task.memory.reset();
    completed_(std::move(running.task));
  }
}

}  // namespace airllm
