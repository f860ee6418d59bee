// Loads from any address: in the widest pieces that its alignment allows.
#pragma once

#include "device.h"

namespace airllm {

DEVICE unsigned alignmentOf(const void* at) { return static_cast<unsigned>(reinterpret_cast<uintptr_t>(at)); }

DEVICE uint32_t load16(const uint8_t* at) {
  if ((alignmentOf(at) & 1) == 0) return *reinterpret_cast<const uint16_t*>(at);
  return at[0] | static_cast<uint32_t>(at[1]) << 8;
}

DEVICE uint32_t load32(const uint8_t* at) {
  if ((alignmentOf(at) & 3) == 0) return *reinterpret_cast<const uint32_t*>(at);
  return load16(at) | load16(at + 2) << 16;
}

DEVICE float loadFloat(const uint8_t* at) { return bitsToFloat(load32(at)); }

/** 16 bytes as four words. */
DEVICE Quad loadBytes16(const uint8_t* at) {
  if ((alignmentOf(at) & 15) == 0) return loadQuad(at);
  return {{load32(at), load32(at + 4), load32(at + 8), load32(at + 12)}};
}

DEVICE uint64_t load64(const uint8_t* at) {
  if ((alignmentOf(at) & 7) == 0) return *reinterpret_cast<const uint64_t*>(at);
  return load32(at) | static_cast<uint64_t>(load32(at + 4)) << 32;
}

}  // namespace airllm
