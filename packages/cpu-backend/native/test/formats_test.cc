#include <doctest/doctest.h>

#include <cstring>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

/** Values 0 … n − 1 of row 0 of a packed weight, as embedding hands them on, from every kernel set. */
void expectRow(const Weight& weight, const std::vector<float>& expected) {
  const uint32_t id = 0;
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<float> row(weight.cols, -1.0f);
    kernels->embedding({weight, &id, {row.data(), 1, weight.cols, weight.cols}}, 0, 1);
    for (size_t i = 0; i < expected.size(); i++) {
      CAPTURE(i);
      CHECK(row[i] == expected[i]);
    }
  }
}

/** Exactly as long as said, so that sanitizers see a byte too many. */
std::vector<uint8_t> bytesOf(size_t length) { return std::vector<uint8_t>(length); }

}  // namespace

TEST_CASE("blocks of GGUF, by hand") {
  // 1.0 in float16 is 0x3c00; 2.0 is 0x4000.
  std::vector<uint8_t> q8 = bytesOf(34);
  q8[1] = 0x40;
  q8[2] = 3;
  q8[33] = 0x80;
  expectRow({q8.data(), DType::kQ8, 1, 32}, {6, 0});

  std::vector<uint8_t> q4 = bytesOf(18);
  q4[1] = 0x3c;
  q4[2] = 0xf1;
  std::vector<float> values(32, -8);
  values[0] = 1 - 8;
  values[16] = 15 - 8;
  expectRow({q4.data(), DType::kQ4, 1, 32}, values);

  // d = 1, dmin = 2; run 0: scale 5, min 3; run 4: scale 1 | 2 << 4, min 4 | 1 << 4.
  std::vector<uint8_t> q4k = bytesOf(144);
  q4k[1] = 0x3c;
  q4k[3] = 0x40;
  q4k[4] = 5 | 2 << 6;
  q4k[8] = 3 | 1 << 6;
  q4k[12] = 1 | 4 << 4;
  q4k[16] = 7;
  q4k[16 + 64] = 9;
  values.assign(256, 0);
  for (size_t i = 0; i < 32; i++) values[i] = -6;
  values[0] = 5 * 7 - 2 * 3;
  for (size_t i = 128; i < 160; i++) values[i] = -40;
  values[128] = 33 * 9 - 2 * 20;
  expectRow({q4k.data(), DType::kQ4K, 1, 256}, values);

  // d = 1; value 0: nibble 5, pair 2 → 37 − 32; value 64 is the high nibble of the same byte, pair at bit 4.
  std::vector<uint8_t> q6k = bytesOf(210);
  q6k[0] = 5 | 1 << 4;
  q6k[128] = 2 | 3 << 4;
  q6k[192] = 3;
  q6k[196] = 0xff;
  q6k[209] = 0x3c;
  values.assign(256, 0);
  for (size_t i = 0; i < 16; i++) values[i] = 3 * -32;
  values[0] = 3 * 5;
  for (size_t i = 64; i < 80; i++) values[i] = 32;
  values[64] = -(49 - 32);
  expectRow({q6k.data(), DType::kQ6K, 1, 256}, values);
}

TEST_CASE("MXFP4 and code books, by hand") {
  std::vector<uint8_t> blocks = bytesOf(16);
  blocks[0] = 0x9f;  // −6, then −0.5
  blocks[15] = 0x70;
  const std::vector<uint8_t> scales = {129};
  Weight weight{blocks.data(), DType::kMxFp4, 1, 32};
  weight.packing.factors = scales.data();
  std::vector<float> values(32, 0);
  values[0] = -24;
  values[1] = -2;
  values[31] = 24;
  expectRow(weight, values);

  std::vector<float> codes(16), outer = {0, 4}, inner(256);
  for (size_t i = 0; i < 16; i++) codes[i] = static_cast<float>(i);
  inner[7] = 0.5f;
  const std::vector<uint8_t> packed = {0x12, 0x34}, factors = {7, 7};
  weight = {packed.data(), DType::kCode4, 1, 4};
  const auto bytes = [](const std::vector<float>& list) {
    return reinterpret_cast<const uint8_t*>(list.data());
  };
  weight.packing.codes = bytes(codes);
  weight.packing.factors = factors.data();
  weight.packing.blockLength = 2;
  weight.packing.nestedCodes = bytes(inner);
  weight.packing.nestedFactors = bytes(outer);
  weight.packing.nestedBlock = 3;
  weight.packing.nestedFirst = 2;
  weight.packing.nestedOffset = 1;
  // Factor 0 is number 2 of the weight, in block 0: 0.5 · 0 + 1; factor 1 is number 3: 0.5 · 4 + 1.
  expectRow(weight, {1, 2, 9, 12});
}

TEST_CASE("groups, by hand") {
  const std::vector<uint16_t> scales = {0x3c00, 0x4000, 0, 0, 0, 0, 0, 0x3c00};
  const uint32_t zeros = 0xf0000021, words[8] = {0xa, 0xb, 0, 0, 0, 0, 0, 0x3};
  Weight weight{reinterpret_cast<const uint8_t*>(words), DType::kGptq, 8, 8};
  weight.packing.factors = reinterpret_cast<const uint8_t*>(scales.data());
  weight.packing.factorDType = DType::kF16;
  weight.packing.zeros = reinterpret_cast<const uint8_t*>(&zeros);
  weight.packing.groupRows = 8;
  // z = 1 + 1, 2 + 1, 15 + 1 mod 16; row 0 is the lowest nibble of each word.
  expectRow(weight, {10 - 2, (11 - 3) * 2, 0, 0, 0, 0, 0, 3});

  // Row 0 is of group 1 of two, whose zeros and scales follow.
  const uint32_t twoZeros[2] = {0, zeros};
  const int32_t rowGroups[8] = {1, 0, 0, 0, 0, 0, 0, 0};
  std::vector<uint16_t> twoScales(8);
  twoScales.insert(twoScales.end(), scales.begin(), scales.end());
  Weight shuffled = weight;
  shuffled.packing.factors = reinterpret_cast<const uint8_t*>(twoScales.data());
  shuffled.packing.zeros = reinterpret_cast<const uint8_t*>(twoZeros);
  shuffled.packing.rowGroups = reinterpret_cast<const uint8_t*>(rowGroups);
  shuffled.packing.groups = 2;
  expectRow(shuffled, {10 - 2, (11 - 3) * 2, 0, 0, 0, 0, 0, 3});

  // Nibbles 0, 4 and 7 are columns 0, 1 and 7.
  const uint32_t row = 0x500b000a, awqZeros = 0x20010003;
  weight.data = reinterpret_cast<const uint8_t*>(&row);
  weight.dtype = DType::kAwq;
  weight.rows = 1;
  weight.packing.zeros = reinterpret_cast<const uint8_t*>(&awqZeros);
  expectRow(weight, {10 - 3, (11 - 1) * 2, 0, 0, 0, 0, 0, 5 - 2});
}

TEST_CASE("codes whose rows begin within a byte and whose blocks end within a row, by hand") {
  std::vector<float> codes(256);
  for (size_t i = 0; i < 256; i++) codes[i] = static_cast<float>(i);
  const auto bytes = [](const std::vector<float>& list) {
    return reinterpret_cast<const uint8_t*>(list.data());
  };
  const std::vector<float> factors = {1, 10, 100};
  const std::vector<uint8_t> packed = {0x12, 0x34, 0x50};
  Weight weight{packed.data(), DType::kCode4, 1, 5};
  weight.packing.codes = bytes(codes);
  weight.packing.factors = bytes(factors);
  weight.packing.blockLength = 3;
  weight.packing.first = 2;
  // The first block has one element left; the last one's second half is no element.
  expectRow(weight, {1, 20, 30, 40, 500});

  const std::vector<uint8_t> whole = {0, 200, 255, 7, 9};
  weight.data = whole.data();
  weight.dtype = DType::kCode8;
  expectRow(weight, {0, 2000, 2550, 70, 900});
}

TEST_CASE("integers with a scale for each group of columns, by hand") {
  const std::vector<float> scales = {0.5f, 4};
  const std::vector<uint8_t> whole = {0x80, 0x7f, 0xff, 3};
  Weight weight{whole.data(), DType::kInt8, 1, 4};
  weight.packing.factors = reinterpret_cast<const uint8_t*>(scales.data());
  weight.packing.groupCols = 3;
  expectRow(weight, {-64, 63.5f, -0.5f, 12});

  const std::vector<uint8_t> halves = {0xf0, 0x97};
  weight.data = halves.data();
  weight.dtype = DType::kInt4;
  expectRow(weight, {-4, 3.5f, -0.5f, 4});
}

TEST_CASE("bf16z, by hand") {
  // Columns 0, 63, 64 and 66; codes 0, 7, 2 and 7; base 127; one escape, 128, for two that ask for one.
  std::vector<uint8_t> planes = bytesOf(48), own = bytesOf(67);
  for (const size_t plane : {0u, 1u, 2u}) {
    planes[plane * 8 + 7] = 0x80;
    planes[24 + plane * 8] = plane == 1 ? 0x05 : 0x04;
  }
  own[63] = 0x80 | 0x40;
  own[64] = 0x20;
  own[66] = 0x80;
  const std::vector<uint8_t> escapes = {127, 128};
  Weight weight{own.data(), DType::kBf16z, 1, 67};
  weight.packing.codes = planes.data();
  weight.packing.factors = escapes.data();
  weight.packing.escapeBytes = 2;
  std::vector<float> values(67, 1);
  values[63] = -3;       // 2 · 1.5
  values[64] = 0.3125f;  // 1.25 / 4
  values[66] = -0.0f;
  expectRow(weight, values);
}
