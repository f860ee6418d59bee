// How launches are made; of the files in this folder.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "launcher.h"

namespace airllm {

constexpr unsigned kThreads = 256;

inline size_t blocksOf(size_t count, size_t each) { return (count + each - 1) / each; }

template <typename Arguments>
void Launcher::launch(const char* kernel, const LaunchGrid& grid, const Arguments& arguments) {
  static_assert(sizeof(Arguments) % sizeof(uint64_t) == 0, "arguments are copied as words");
  if (grid.x > 0 && grid.y > 0) driver_.launch(kernel, grid, &arguments, sizeof arguments, stream_);
}

template <typename Arguments>
void Launcher::launchEach(const char* kernel, size_t count, const Arguments& arguments) {
  launch(kernel, {static_cast<unsigned>(blocksOf(count, kThreads)), 1, kThreads, 0}, arguments);
}

}  // namespace airllm
