#include "pages.h"

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace airllm {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHugeThreshold = size_t{4} << 20;
/** No machine has more; keeps the rounding below from overflowing. */
constexpr size_t kLargest = size_t{1} << 48;

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

#if defined(_WIN32)

std::shared_ptr<Pages> Pages::map(size_t byteLength, bool) {
  if (byteLength > kLargest) return nullptr;
  const size_t length = roundUp(byteLength == 0 ? 1 : byteLength, 65536);
  void* data = VirtualAlloc(nullptr, length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (data == nullptr) return nullptr;
  return std::shared_ptr<Pages>(new Pages(static_cast<uint8_t*>(data), byteLength, length));
}

Pages::~Pages() { VirtualFree(data(), 0, MEM_RELEASE); }

#else

std::shared_ptr<Pages> Pages::map(size_t byteLength, bool fullyWritten) {
  if (byteLength > kLargest) return nullptr;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t length = roundUp(byteLength == 0 ? 1 : byteLength, page);
  const bool huge = fullyWritten && byteLength >= kHugeThreshold;
  const size_t slack = huge ? kHugePage : 0;
  void* mapped =
      mmap(nullptr, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  uint8_t* data = static_cast<uint8_t*>(mapped);
  if (huge) {
    // Huge pages are aligned: the block starts at one, and what lies around it is cut off. The last part of a
    // huge page stays in small pages, since a whole one would commit more than was asked for.
    const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(data) % kHugePage) % kHugePage;
    if (before > 0) munmap(data, before);
    if (before < slack) munmap(data + before + length, slack - before);
    data += before;
#if defined(MADV_HUGEPAGE)
    madvise(data, length / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  }
  return std::shared_ptr<Pages>(new Pages(data, byteLength, length));
}

Pages::~Pages() { munmap(data(), mappedLength_); }

#endif

}  // namespace airllm
