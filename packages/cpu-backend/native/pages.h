// Page-aligned memory that is only reserved until it is written, and given back to the system at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace airllm {

/**
 * One block of pages, zero-filled when first touched. Shared by JavaScript's handle and by every submission
 * in flight that reads it; unmapped when the last of them lets go.
 */
class Pages {
 public:
  /** `fullyWritten` allows huge pages, which commit 2 MB at a touch. Null when the system refuses. */
  static std::shared_ptr<Pages> map(size_t byteLength, bool fullyWritten);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  uint8_t* data() const { return data_; }
  size_t byteLength() const { return byteLength_; }

 private:
  Pages(uint8_t* data, size_t byteLength, size_t mappedLength)
      : data_(data), byteLength_(byteLength), mappedLength_(mappedLength) {}

  uint8_t* data_;
  size_t byteLength_;
  size_t mappedLength_;
};

}  // namespace airllm
