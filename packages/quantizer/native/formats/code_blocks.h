// 4bit and 8bit. source [elements] → codes, absmax [⌈elements / blockLength⌉]; see EncodeCodes and
// DecodeCodes. A whole block is multiplied by the inverse of its absmax, a short last one divided by it, as
// bitsandbytes does.
#pragma once

#include "../simd/lookup.h"
#include "tile.h"

namespace airllm::AIRLLM_ISA {
namespace {

constexpr float kLeastAbsmax = 1e-38f;

inline void scaleTile(float* x, float divisor, bool whole) {
  const float inverse = 1.0f / divisor;
  if (whole) {
    for (size_t i = 0; i < kTile; i++) x[i] *= inverse;
  } else {
    for (size_t i = 0; i < kTile; i++) x[i] /= divisor;
  }
  for (size_t i = 0; i < kTile; i++) {
    const float low = x[i] < -1.0f ? -1.0f : x[i];
    x[i] = low > 1.0f ? 1.0f : low;
  }
}

template <bool Nibbles>
inline void storeCodes(const int32_t* code, uint8_t* to, size_t count) {
  uint8_t bytes[kTile];
  for (size_t i = 0; i < kTile; i++) bytes[i] = static_cast<uint8_t>(code[i]);
  if constexpr (Nibbles) {
    storeNibbles<true>(bytes, to, count);
  } else {
    copyTile<uint8_t>(to, bytes, count);
  }
}

/** A block whose values would decode to something plausible is worse than one that is NaN throughout. */
template <bool Nibbles>
inline void storeNonFinite(const CodeTable& table, uint8_t* to, size_t count) {
  int32_t zero[kTile];
  for (int32_t& code : zero) code = table.zero();
  for (size_t tile = 0; tile < count; tile += kTile) {
    storeCodes<Nibbles>(zero, to + (Nibbles ? tile / 2 : tile), count - tile < kTile ? count - tile : kTile);
  }
}

template <SourceDType D, bool Nibbles>
ErrorSums encodeBlocks(const EncodeCodes& job, size_t begin, size_t end) {
  const CodeTable& table = *job.table;
  ErrorSums sums;
  LaneSums lanes;
  for (size_t block = begin; block < end; block++) {
    const size_t first = block * job.blockLength;
    const size_t count = job.elements - first < job.blockLength ? job.elements - first : job.blockLength;
    const uint8_t* source = job.source + first * sizeOf(D);
    uint8_t* codes = job.codes + (Nibbles ? first / 2 : first);
    const auto tileCount = [&](size_t tile) { return count - tile < kTile ? count - tile : kTile; };

    float x[kTile], coded[kTile];
    MaxBits most;
    for (size_t tile = 0; tile < count; tile += kTile) {
      loadTile<D>(source + tile * sizeOf(D), tileCount(tile), x);
      most.add(x);
    }
    const uint32_t absmaxBits = most.value();
    if (absmaxBits >= kInfinityBits) {
      job.absmax[block] = floatFromBits(0x7fc00000u);
      storeNonFinite<Nibbles>(table, codes, count);
      if (sums.firstNonFinite < 0) {
        sums.firstNonFinite = static_cast<int64_t>(first + firstNonFiniteOf<D>(source, count));
      }
      continue;
    }
    const float absmax = floatFromBits(absmaxBits);
    const float divisor = absmax > kLeastAbsmax ? absmax : kLeastAbsmax;
    const bool whole = count == job.blockLength;
    job.absmax[block] = whole ? absmax : divisor;
    for (size_t tile = 0; tile < count; tile += kTile) {
      int32_t code[kTile];
      loadTile<D>(source + tile * sizeOf(D), tileCount(tile), x);
      scaleTile(x, divisor, whole);
      if constexpr (Nibbles) {
        findNibbles(table, x, code, coded);
      } else {
        findBytes(table, x, code, coded);
      }
      storeCodes<Nibbles>(code, codes + (Nibbles ? tile / 2 : tile), tileCount(tile));
      lanes.add(x, coded);
    }
    lanes.endBlock(job.absmax[block]);
  }
  lanes.addTo(sums);
  return sums;
}

template <bool Nibbles>
ErrorSums encodeCodesFrom(const EncodeCodes& job, size_t begin, size_t end) {
  switch (job.dtype) {
    case SourceDType::kF32:
      return encodeBlocks<SourceDType::kF32, Nibbles>(job, begin, end);
    case SourceDType::kF16:
      return encodeBlocks<SourceDType::kF16, Nibbles>(job, begin, end);
    default:
      return encodeBlocks<SourceDType::kBF16, Nibbles>(job, begin, end);
  }
}

ErrorSums encodeCodes(const EncodeCodes& job, size_t begin, size_t end) {
  return job.table->length() == 16 ? encodeCodesFrom<true>(job, begin, end)
                                   : encodeCodesFrom<false>(job, begin, end);
}

void decodeCodes(const DecodeCodes& job, size_t begin, size_t end) {
  const bool nibbles = job.mapLength == 16;
  for (size_t i = begin; i < end;) {
    const size_t block = i / job.blockLength;
    const size_t blockEnd = (block + 1) * job.blockLength;
    const size_t stop = blockEnd < end ? blockEnd : end;
    const float factor = job.absmax[block];
    if (nibbles) {
      for (; i < stop; i++) job.to[i] = job.map[job.codes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15] * factor;
    } else {
      for (; i < stop; i++) job.to[i] = job.map[job.codes[i]] * factor;
    }
  }
  if (job.offset == nullptr) return;
  for (size_t i = begin; i < end; i++) job.to[i] += *job.offset;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
