// The tile registers of AMX on one thread. The process must have been permitted to use them (see
// cpu_features.cc).
#pragma once

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace airllm::AIRLLM_ISA {
namespace {

/** Operand of ldtilecfg: palette 1, eight tiles of 16 rows of 64 bytes unless said otherwise. */
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t startRow = 0;
  uint8_t reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/** GCC's intrinsics do not say that they read and write memory. */
inline void orderMemory() { __asm__ volatile("" ::: "memory"); }

/** The tile registers of this thread, given back at the end: their 8 KB make every context switch slower. */
class TileSession {
 public:
  explicit TileSession(const TileShapes& shapes = {}) { shape(shapes); }
  ~TileSession() { _tile_release(); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;

  /** Other shapes from here on; what the tiles held is lost. */
  void shape(const TileShapes& shapes) {
    // The intrinsic only says that it reads the first eight bytes.
    __asm__ volatile("" ::"r"(&shapes) : "memory");
    _tile_loadconfig(&shapes);
  }
};

}  // namespace
}  // namespace airllm::AIRLLM_ISA
