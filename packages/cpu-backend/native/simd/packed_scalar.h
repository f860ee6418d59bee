// Values of packed formats as vectors, in plain C++.
#pragma once

#include <stdint.h>
#include <string.h>

namespace airllm::AIRLLM_ISA {
namespace {

/** kLanes signed bytes as float32. */
inline F loadInt8(const uint8_t* p) {
  return each([&](size_t i) { return static_cast<float>(static_cast<int8_t>(p[i])); });
}

/** 16 values to be looked up by nibbles. */
struct Table16 {
  float values[16];
};

/** 16 float32 at any byte address. */
inline Table16 table16(const void* values) {
  Table16 table;
  memcpy(table.values, values, sizeof table.values);
  return table;
}
/** values[i] · factor, rounded to float32, minus `offset`, rounded again. */
inline Table16 scaled(const Table16& table, float factor, float offset = 0) {
  Table16 result;
  for (size_t i = 0; i < 16; i++) {
    const float product = table.values[i] * factor;
    result.values[i] = product - offset;
  }
  return result;
}

/** Values of kLanes nibbles, from the kLanes / 2 bytes at p, whose high nibble is the first or the second. */
template <bool HighFirst>
inline F lookupNibbles(const Table16& table, const uint8_t* p) {
  return each([&](size_t i) { return table.values[p[i / 2] >> ((i % 2 == 0) == HighFirst ? 4 : 0) & 15]; });
}

/** Values of the low nibbles of kLanes bytes, or of the high ones. */
template <bool High>
inline F lookupHalves(const Table16& table, const uint8_t* p) {
  return each([&](size_t i) { return table.values[High ? p[i] >> 4 : p[i] & 15]; });
}

/** Values of kLanes bytes from a book of 256. */
inline F lookupBytes(const float* book, const uint8_t* p) {
  return each([&](size_t i) { return book[p[i]]; });
}

/** Of kLanes values: signs and seven digits of their fractions, and exponents. */
inline F joinExponents(const uint8_t* own, const uint8_t* exponents) {
  return each([&](size_t i) {
    const uint32_t digits = own[i], exponent = exponents[i];
    return fromBits((digits & 0x80) << 24 | exponent << 23 | (digits & 0x7f) << 16);
  });
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
