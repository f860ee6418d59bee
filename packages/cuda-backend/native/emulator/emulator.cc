#include "emulator.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "fiber.h"

namespace airllm::emulator {
namespace {

constexpr unsigned kWarp = 32;

enum class Waiting { kNothing, kWarp, kBlock, kReturned };

struct Thread {
  Self self;
  Fiber fiber;
  Waiting waiting = Waiting::kReturned;
};

/** The block that runs on this host thread, and the threads it reuses. */
struct Block {
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<std::unique_ptr<Deposit[][kWarp]>> deposits;
  std::vector<float> shared;
  Thread* current = nullptr;
  KernelFunction kernel = nullptr;
  const void* arguments = nullptr;

  void prepare(const Grid& grid);
  void run(const Grid& grid, Index index);
  /** Runs a warp to the block's next barrier or to its end. */
  void runWarp(unsigned first, unsigned end);
  void resume(Thread& thread);
};

Block& block() {
  thread_local Block found;
  return found;
}

void suspend(Waiting reason) {
  Thread& thread = *block().current;
  thread.waiting = reason;
  thread.fiber.suspend();
}

std::map<std::string, KernelFunction>& kernels() {
  static std::map<std::string, KernelFunction> known;
  return known;
}

void Block::prepare(const Grid& grid) {
  while (threads.size() < grid.threads) {
    if (threads.size() % kWarp == 0) deposits.emplace_back(new Deposit[2][kWarp]);
    threads.push_back(std::make_unique<Thread>());
  }
  shared.assign(grid.sharedBytes / sizeof(float) + 1, 0);
}

void Block::resume(Thread& thread) {
  current = &thread;
  thread.waiting = Waiting::kNothing;
  if (!thread.fiber.resume()) thread.waiting = Waiting::kReturned;
}

void Block::runWarp(unsigned first, unsigned end) {
  if (threads[first]->waiting == Waiting::kBlock) return;
  for (;;) {
    for (unsigned i = first; i < end; i++) {
      if (threads[i]->waiting != Waiting::kReturned) resume(*threads[i]);
    }
    const Waiting reason = threads[first]->waiting;
    for (unsigned i = first; i < end; i++) {
      if (threads[i]->waiting != reason)
        throw std::logic_error("threads of a warp part at a collective operation");
    }
    if (reason != Waiting::kWarp) return;
  }
}

void Block::run(const Grid& grid, Index index) {
  for (unsigned i = 0; i < grid.threads; i++) {
    Thread& thread = *threads[i];
    thread.self = {{i, 0, 0},
                   index,
                   {grid.threads, 1, 1},
                   grid.blocks,
                   static_cast<int>(i % kWarp),
                   shared.data(),
                   deposits[i / kWarp].get(),
                   0};
    thread.waiting = Waiting::kNothing;
    thread.fiber.start(
        [](void*) {
          const Block& running = block();
          running.kernel(running.arguments);
        },
        nullptr);
  }
  for (;;) {
    bool returned = true;
    for (unsigned first = 0; first < grid.threads; first += kWarp) {
      if (threads[first]->waiting == Waiting::kReturned) continue;
      const unsigned end = std::min(first + kWarp, grid.threads);
      runWarp(first, end);
      returned = returned && threads[first]->waiting == Waiting::kReturned;
    }
    if (returned) return;
    for (unsigned i = 0; i < grid.threads; i++) {
      if (threads[i]->waiting == Waiting::kBlock) threads[i]->waiting = Waiting::kNothing;
    }
  }
}

}  // namespace

Self& self() { return block().current->self; }

void blockBarrier() { suspend(Waiting::kBlock); }
void warpBarrier() { suspend(Waiting::kWarp); }

Registration::Registration(const char* name, KernelFunction function) { kernels()[name] = function; }

KernelFunction findKernel(const std::string& name) {
  const auto found = kernels().find(name);
  return found == kernels().end() ? nullptr : found->second;
}

void runGrid(KernelFunction kernel, const Grid& grid, const void* arguments) {
  Block& running = block();
  running.prepare(grid);
  running.kernel = kernel;
  running.arguments = arguments;
  for (unsigned z = 0; z < grid.blocks.z; z++) {
    for (unsigned y = 0; y < grid.blocks.y; y++) {
      for (unsigned x = 0; x < grid.blocks.x; x++) running.run(grid, {x, y, z});
    }
  }
}

}  // namespace airllm::emulator
