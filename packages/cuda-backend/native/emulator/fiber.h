// Stacks that take turns on one host thread.
#pragma once

#include <cstddef>
#include <memory>

namespace airllm::emulator {

/** Runs `entry(argument)` on a stack of its own, from `resume` to `suspend`. */
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /** Begins anew. What ran before must have returned. */
  void start(void (*entry)(void*), void* argument);
  /** Runs until the fiber suspends or returns; false once it has returned. */
  bool resume();
  /** Back to whoever resumed; called on the fiber. */
  void suspend();

 private:
  struct State;
  static void enter(Fiber* fiber);
  std::unique_ptr<State> state_;
};

}  // namespace airllm::emulator
