#include "positioned_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace airllm {

ReadResult readFully(const Chunk& chunk) {
  size_t arrived = 0;
  while (arrived < chunk.length && arrived % chunk.alignment == 0) {
    const ssize_t bytes = pread(chunk.fd, chunk.data + arrived, chunk.length - arrived,
                                static_cast<off_t>(chunk.fileOffset + arrived));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return {arrived, errno};
    if (bytes == 0) break;
    arrived += static_cast<size_t>(bytes);
  }
  return {arrived, 0};
}

bool bypassCache(int fd) {
#if defined(F_NOCACHE)
  return fcntl(fd, F_NOCACHE, 1) == 0;
#else
  (void)fd;
  return false;
#endif
}

}  // namespace airllm
