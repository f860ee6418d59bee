#include "fiber.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_THREAD__)
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void __tsan_switch_to_fiber(void*, unsigned);
}
#endif

namespace airllm::emulator {
namespace {

constexpr size_t kStackBytes = 128 * 1024;

}  // namespace

#if defined(__x86_64__)

// Callee-saved registers go on the stack, and the stack pointers change places: no system call, as
// swapcontext has.
extern "C" void airllmSwitchStack(void** from, void* to);
asm(R"(
.text
.globl airllmSwitchStack
.hidden airllmSwitchStack
.type airllmSwitchStack, @function
airllmSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size airllmSwitchStack, .-airllmSwitchStack
)");

struct Context {
  void* stackPointer = nullptr;
};

static void switchTo(Context& from, Context& to) { airllmSwitchStack(&from.stackPointer, to.stackPointer); }

#else

struct Context {
  ucontext_t saved;
};

static void switchTo(Context& from, Context& to) { swapcontext(&from.saved, &to.saved); }

#endif

struct Fiber::State {
  Context own;
  Context resumer;
  uint8_t* stack = nullptr;
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
  bool returned = true;
#if defined(__SANITIZE_THREAD__)
  // The sanitizer keeps a history for each stack.
  void* ownHistory = __tsan_create_fiber(0);
  void* resumerHistory = nullptr;
  ~State() { __tsan_destroy_fiber(ownHistory); }
#endif
};

namespace {
// A fiber is entered without arguments that every platform could pass.
thread_local Fiber* entering = nullptr;
}  // namespace

Fiber::Fiber() : state_(new State) {
  void* mapped = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  state_->stack = static_cast<uint8_t*>(mapped);
}

Fiber::~Fiber() { munmap(state_->stack, kStackBytes); }

void Fiber::enter(Fiber* fiber) {
  State& state = *fiber->state_;
  state.entry(state.argument);
  state.returned = true;
  fiber->suspend();
}

void Fiber::start(void (*entry)(void*), void* argument) {
  state_->entry = entry;
  state_->argument = argument;
  state_->returned = false;
  void (*first)() = [] { enter(entering); };
#if defined(__x86_64__)
  // As if it had been called: aligned to 16 before the return address that is never used.
  void** top = reinterpret_cast<void**>(state_->stack + kStackBytes - 16);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(first);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  state_->own.stackPointer = top;
#else
  getcontext(&state_->own.saved);
  state_->own.saved.uc_stack = {};
  state_->own.saved.uc_stack.ss_sp = state_->stack;
  state_->own.saved.uc_stack.ss_size = kStackBytes;
  makecontext(&state_->own.saved, first, 0);
#endif
}

bool Fiber::resume() {
  entering = this;
#if defined(__SANITIZE_THREAD__)
  state_->resumerHistory = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(state_->ownHistory, 0);
#endif
  switchTo(state_->resumer, state_->own);
  return !state_->returned;
}

void Fiber::suspend() {
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(state_->resumerHistory, 0);
#endif
  switchTo(state_->own, state_->resumer);
}

}  // namespace airllm::emulator
