// Where the bytes that ops read of the host lie on the device.
#pragma once

#include <unordered_map>

#include "program.h"

namespace airllm {

class Relocations {
 public:
  void add(const void* host, uint8_t* device) { places_[host] = device; }
  void clear() { places_.clear(); }

  /** The device's address of what begins at `address`; the same where it is on the device already. */
  template <typename T>
  T* of(T* address) const {
    const auto found = places_.find(address);
    return found == places_.end() ? address : reinterpret_cast<T*>(found->second);
  }

 private:
  std::unordered_map<const void*, uint8_t*> places_;
};

/** An op whose weights and lists lie where `weights` and `lists` say. */
Op relocated(const Op& op, const Relocations& weights, const Relocations& lists);

}  // namespace airllm
