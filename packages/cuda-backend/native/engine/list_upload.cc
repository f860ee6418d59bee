#include "list_upload.h"

#include <cstring>

namespace airllm {
namespace {

constexpr size_t kAlignment = 16;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/** Calls visit(data, byteLength) for every list that stays as it is. */
template <typename Visit>
void forEachList(const Program& program, Visit visit) {
  const auto each = [&](const auto& list) {
    if (!list.empty()) visit(list.data(), list.size() * sizeof(list[0]));
  };
  each(program.sequences);
  for (const auto& list : program.blockLists) each(list);
  for (const auto& list : program.indexLists) each(list);
  for (const auto& list : program.floatLists) each(list);
}

}  // namespace

ListUpload::ListUpload(std::shared_ptr<Device> device, Stream compute)
    : driver_(device->driver()), compute_(compute) {
  for (Slot& slot : slots_) {
    slot.host = device->allocateHost(kMostBytes);
    slot.device = device->allocate(kMostBytes);
    slot.used = driver_.createEvent();
  }
}

size_t ListUpload::byteLengthOf(const Program& program) {
  size_t bytes = aligned(program.places.size() * sizeof(RowPlace));
  forEachList(program, [&](const void*, size_t length) { bytes += aligned(length); });
  return bytes;
}

void ListUpload::expectRoom(size_t byteLength) const {
  if (byteLength <= kMostBytes) return;
  throw DriverError("OUT_OF_DEVICE_MEMORY",
                    "Expected at most " + std::to_string(kMostBytes) +
                        " bytes of indices and KV blocks in one submission but received " +
                        std::to_string(byteLength) + "; submit fewer rows at a time");
}

void ListUpload::upload(const Program& program, Relocations& lists) {
  Slot& slot = slots_[next_];
  if (slot.taken) driver_.synchronize(slot.used);
  lists.clear();
  size_t bytes = 0;
  forEachList(program, [&](const void* list, size_t length) {
    memcpy(slot.host->data() + bytes, list, length);
    lists.add(list, slot.device->data() + bytes);
    bytes += aligned(length);
  });
  if (!program.places.empty()) {
    lists.add(program.places.data(), slot.device->data() + bytes);
    for (RowPlace place : program.places) {
      place.blocks = lists.of(place.blocks);
      memcpy(slot.host->data() + bytes, &place, sizeof place);
      bytes += sizeof place;
    }
  }
  if (bytes > 0) {
    driver_.copy(Direction::kToDevice, {slot.device->data(), bytes}, {slot.host->data(), bytes}, bytes, 1,
                 compute_);
  }
}

void ListUpload::release() {
  Slot& slot = slots_[next_];
  driver_.record(slot.used, compute_);
  slot.taken = true;
  next_ = (next_ + 1) % slots_.size();
}

}  // namespace airllm
