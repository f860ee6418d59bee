// Carries weights from the host to the device: two halves of staging memory in turn, one filled by a stream
// of its own while ops read the other.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "device.h"
#include "relocations.h"

namespace airllm {

class WeightRing {
 public:
  WeightRing(Device& device, size_t byteLength, Stream copies, Stream compute);

  /** What one op may read of the host at most, places between its parts included. */
  size_t opBytes() const { return halfBytes_; }

  /**
   * Queues the copies of what the ops from `first` on read of the host, as many ops as fit a half, and makes
   * the compute stream wait for them. Returns the number of the first op left out; `weights` says where the
   * bytes will be.
   */
  size_t load(const Program& program, size_t first, Relocations& weights);
  /** Every op of the last load is queued: its half may be filled again once they have run. */
  void release();

 private:
  struct Half {
    uint8_t* data;
    Event filled;
    Event used;
  };

  Driver& driver_;
  std::shared_ptr<Memory> memory_;
  size_t halfBytes_;
  Stream copies_;
  Stream compute_;
  std::array<Half, 2> halves_;
  size_t next_ = 0;
};

/** Bytes that the reads of each op take in a half, ranges that touch counted once. */
size_t largestOpBytes(const Program& program);

}  // namespace airllm
