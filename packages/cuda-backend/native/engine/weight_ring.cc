#include "weight_ring.h"

#include <algorithm>

namespace airllm {
namespace {

/** Bytes keep their place within this many, so that loads are as aligned on the device as on the host. */
constexpr size_t kAlignment = 256;

struct Range {
  const uint8_t* begin;
  const uint8_t* end;
};

/** Ranges in order, those that touch or overlap as one. */
std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<Range> found;
  for (const Range& range : ranges) {
    if (!found.empty() && range.begin <= found.back().end) {
      found.back().end = std::max(found.back().end, range.end);
    } else {
      found.push_back(range);
    }
  }
  return found;
}

size_t placedBytes(const std::vector<Range>& ranges) {
  size_t bytes = 0;
  for (const Range& range : ranges) bytes += static_cast<size_t>(range.end - range.begin) + 2 * kAlignment;
  return bytes;
}

/** Adds what op `op` reads of the host; `read` is the first read of it or of a later op. */
void addReads(const Program& program, size_t op, size_t& read, std::vector<Range>& ranges) {
  for (; read < program.reads.size() && program.reads[read].op == op; read++) {
    const WeightRead& found = program.reads[read];
    if (found.onHost && found.byteLength > 0) ranges.push_back({found.data, found.data + found.byteLength});
  }
}

size_t firstReadOf(const Program& program, size_t op) {
  const auto found = std::lower_bound(program.reads.begin(), program.reads.end(), op,
                                      [](const WeightRead& read, size_t number) { return read.op < number; });
  return static_cast<size_t>(found - program.reads.begin());
}

}  // namespace

size_t largestOpBytes(const Program& program) {
  size_t largest = 0, read = 0;
  for (size_t op = 0; op < program.ops.size(); op++) {
    std::vector<Range> ranges;
    addReads(program, op, read, ranges);
    largest = std::max(largest, placedBytes(merged(std::move(ranges))));
  }
  return largest;
}

WeightRing::WeightRing(Device& device, size_t byteLength, Stream copies, Stream compute)
    : driver_(device.driver()),
      memory_(device.allocate(byteLength)),
      halfBytes_(byteLength / 2 / kAlignment * kAlignment),
      copies_(copies),
      compute_(compute) {
  for (size_t i = 0; i < halves_.size(); i++) {
    halves_[i] = {memory_->data() + i * halfBytes_, driver_.createEvent(), driver_.createEvent()};
  }
}

size_t WeightRing::load(const Program& program, size_t first, Relocations& weights) {
  std::vector<Range> ranges;
  size_t read = firstReadOf(program, first), end = first;
  const size_t firstRead = read;
  for (; end < program.ops.size(); end++) {
    std::vector<Range> more = ranges;
    size_t next = read;
    addReads(program, end, next, more);
    more = merged(std::move(more));
    if (end > first && placedBytes(more) > halfBytes_) break;
    ranges = std::move(more);
    read = next;
  }

  weights.clear();
  Half& half = halves_[next_];
  if (!ranges.empty()) driver_.wait(copies_, half.used);
  uint8_t* to = half.data;
  auto range = ranges.begin();
  std::vector<uint8_t*> places;
  for (const Range& r : ranges) {
    const size_t within = reinterpret_cast<uintptr_t>(r.begin) % kAlignment;
    const size_t bytes = static_cast<size_t>(r.end - r.begin);
    places.push_back(to + within);
    driver_.copy(Direction::kToDevice, {to + within, bytes}, {const_cast<uint8_t*>(r.begin), bytes}, bytes, 1,
                 copies_);
    to += (within + bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  for (size_t i = firstRead; i < read; i++) {
    const WeightRead& found = program.reads[i];
    if (!found.onHost || found.byteLength == 0) continue;
    range = std::upper_bound(ranges.begin(), ranges.end(), found.data,
                             [](const uint8_t* data, const Range& r) { return data < r.begin; }) -
            1;
    weights.add(found.data,
                places[static_cast<size_t>(range - ranges.begin())] + (found.data - range->begin));
  }
  if (!ranges.empty()) {
    driver_.record(half.filled, copies_);
    driver_.wait(compute_, half.filled);
  }
  return end;
}

void WeightRing::release() {
  driver_.record(halves_[next_].used, compute_);
  next_ = (next_ + 1) % halves_.size();
}

}  // namespace airllm
