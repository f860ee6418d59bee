// Memory that operands of a submission lie in, as a backend knows it by number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airllm {

/** One block of bytes. Shared by JavaScript's handle and by every submission in flight that uses it. */
class Memory {
 public:
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /** An address of the host, or of a device; addresses of different memory differ in either case. */
  uint8_t* data() const { return data_; }
  size_t byteLength() const { return byteLength_; }
  /** False where only a device may read it. */
  bool onHost() const { return onHost_; }

 protected:
  Memory(uint8_t* data, size_t byteLength, bool onHost)
      : data_(data), byteLength_(byteLength), onHost_(onHost) {}

 private:
  uint8_t* data_;
  size_t byteLength_;
  bool onHost_;
};

}  // namespace airllm
