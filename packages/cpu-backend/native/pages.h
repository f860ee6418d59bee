// Page-aligned memory that is only reserved until it is written, and given back to the system at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "memory.h"

namespace airllm {

/**
 * One block of pages, zero-filled when first touched. Shared by JavaScript's handle and by every submission
 * in flight that reads it; unmapped when the last of them lets go.
 */
class Pages : public Memory {
 public:
  /** `fullyWritten` allows huge pages, which commit 2 MB at a touch. Null when the system refuses. */
  static std::shared_ptr<Pages> map(size_t byteLength, bool fullyWritten);
  ~Pages() override;

 private:
  Pages(uint8_t* data, size_t byteLength, size_t mappedLength)
      : Memory(data, byteLength, true), mappedLength_(mappedLength) {}

  size_t mappedLength_;
};

}  // namespace airllm
