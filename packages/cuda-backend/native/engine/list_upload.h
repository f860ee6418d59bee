// Carries the lists of a submission to the device: places of rows, blocks, sequences, indices, factors; one
// copy for all of them.
#pragma once

#include <array>
#include <memory>

#include "device.h"
#include "relocations.h"

namespace airllm {

class ListUpload {
 public:
  ListUpload(std::shared_ptr<Device> device, Stream compute);

  /** Bytes that a submission's lists take. */
  static size_t byteLengthOf(const Program& program);
  /** Room for such lists, so that `upload` cannot fail for want of it. Throws DriverError. */
  void expectRoom(size_t byteLength) const;
  static constexpr size_t kMostBytes = size_t{8} << 20;

  /** Queues the copy on the compute stream. */
  void upload(const Program& program, Relocations& lists);
  /** Every op of the submission is queued. */
  void release();

 private:
  struct Slot {
    std::shared_ptr<Memory> host;
    std::shared_ptr<Memory> device;
    Event used;
    bool taken = false;
  };

  Driver& driver_;
  Stream compute_;
  std::array<Slot, 3> slots_;
  size_t next_ = 0;
};

}  // namespace airllm
