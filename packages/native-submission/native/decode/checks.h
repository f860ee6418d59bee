// What every decoder of operands asks: conditions with a typed error, and arithmetic that cannot overflow
// unseen.
#pragma once

#include <limits>
#include <string>

#include "../program.h"

namespace airllm {

[[noreturn]] inline void refuse(const std::string& message) { throw InvalidOperand(message); }

inline void expect(bool condition, const char* message) {
  if (!condition) refuse(message);
}

inline size_t product(size_t a, size_t b) {
  expect(b == 0 || a <= std::numeric_limits<size_t>::max() / b, "Expected sizes whose product fits 64 bits");
  return a * b;
}

inline size_t total(size_t a, size_t b) {
  expect(a <= std::numeric_limits<size_t>::max() - b, "Expected sizes whose sum fits 64 bits");
  return a + b;
}

/** True when [offset, offset + length) lies in [0, limit). */
inline bool inside(size_t offset, size_t length, size_t limit) {
  return offset <= limit && length <= limit - offset;
}

inline void sameShape(const Matrix& a, const Matrix& b) {
  expect(a.rows == b.rows && a.cols == b.cols, "Expected tensors of the same shape");
}

}  // namespace airllm
