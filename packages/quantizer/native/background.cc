#include "background.h"

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#elif defined(__linux__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

namespace airllm {

void yieldToOthers() {
#if defined(_WIN32)
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_LOWEST);
#elif defined(__linux__)
  // Of this thread alone: on Linux every thread has its own niceness.
  setpriority(PRIO_PROCESS, 0, 19);
#elif defined(__APPLE__)
  setpriority(PRIO_DARWIN_THREAD, 0, PRIO_DARWIN_BG);
#endif
}

}  // namespace airllm
