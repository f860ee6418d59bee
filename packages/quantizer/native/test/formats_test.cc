// The formats by hand, and all instruction sets against each other. Memory is exactly as long as it has to
// be, so that sanitizers see a byte too many.

#include <doctest/doctest.h>

#include "nested_factors.h"
#include "support.h"
#include "survey.h"

using namespace airllm;
using namespace airllm::test;

TEST_CASE("nibbles: a whole block, then a short one of odd length") {
  const std::vector<float> map = nibbleMap();
  const CodeTable table(map.data(), 16);
  std::vector<float> source(67, 0.0f);
  source[0] = -4;     // code 0
  source[1] = 4;      // code 15
  source[63] = 1.0f;  // 0.25, code 10
  source[64] = 2;     // alone in its block with zeros: code 15
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<uint8_t> codes(34);
    std::vector<float> absmax(2), decoded(67);
    const ErrorSums sums = kernels->encodeCodes(
        {&table, 64, SourceDType::kF32, bytesOf(source), codes.data(), absmax.data(), 67}, 0, 2);
    CHECK(absmax == std::vector<float>{4, 2});
    CHECK(codes[0] == 0x0f);
    CHECK(codes[31] == 0x7a);
    CHECK(codes[32] == 0xf7);
    // The nibble past the end is the code of 0.
    CHECK(codes[33] == 0x77);
    CHECK(sums.source == 16 + 16 + 1 + 4);
    CHECK(sums.error == 0);
    CHECK(sums.firstNonFinite == -1);
    kernels->decodeCodes({codes.data(), map.data(), 16, absmax.data(), 64, nullptr, decoded.data(), 67}, 0,
                         67);
    CHECK(decoded == source);
  }
}

TEST_CASE("a block with NaN or Inf decodes to NaN; the element is named") {
  const std::vector<float> map = byteMap();
  const CodeTable table(map.data(), 256);
  std::vector<float> source = gaussian(3 * 64);
  source[64 + 5] = INFINITY;
  source[64 + 3] = -INFINITY;
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<uint8_t> codes(source.size());
    std::vector<float> absmax(3);
    const ErrorSums sums = kernels->encodeCodes(
        {&table, 64, SourceDType::kF32, bytesOf(source), codes.data(), absmax.data(), source.size()}, 0, 3);
    CHECK(sums.firstNonFinite == 67);
    CHECK(std::isnan(absmax[1]));
    CHECK(codes[64] == table.zero());
    CHECK(std::isfinite(absmax[2]));
    CHECK(std::isfinite(sums.error));
  }
}

TEST_CASE("integers: scales per 128 columns begun, ties to even") {
  // Two rows of 130: the second group of a row has two columns.
  std::vector<float> source(260, 0.0f);
  source[0] = 127;
  source[1] = -2.5f;
  source[2] = 3.5f;
  source[128] = -254;
  source[129] = 2;
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<uint8_t> codes(260);
    std::vector<float> scales(4), decoded(260);
    kernels->encodeIntegers(
        {IntegerFormat::kInt8, SourceDType::kF32, bytesOf(source), codes.data(), scales.data(), 130}, 0, 2);
    CHECK(scales == std::vector<float>{1, 2, 0, 0});
    CHECK(codes[0] == 127);
    CHECK(codes[1] == static_cast<uint8_t>(-2));
    CHECK(codes[2] == 4);
    CHECK(codes[128] == static_cast<uint8_t>(-127));
    CHECK(codes[129] == 1);
    kernels->decodeIntegers({IntegerFormat::kInt8, codes.data(), scales.data(), decoded.data(), 130}, 0, 2);
    CHECK(decoded[128] == -254);
    CHECK(decoded[1] == -2);

    codes.assign(130, 0xee);
    kernels->encodeIntegers(
        {IntegerFormat::kInt4, SourceDType::kF32, bytesOf(source), codes.data(), scales.data(), 130}, 0, 2);
    // The largest, 127, becomes -8: nibble 0. -254 likewise, with a positive scale.
    CHECK(scales == std::vector<float>{127 / -8.0f, 254 / 8.0f, 0, 0});
    CHECK((codes[0] & 15) == 0);
    CHECK((codes[64] & 15) == 0);
    CHECK((codes[64] >> 4) == 8);
    CHECK(codes[65] == 0x88);
    kernels->decodeIntegers({IntegerFormat::kInt4, codes.data(), scales.data(), decoded.data(), 130}, 0, 2);
    CHECK(decoded[0] == 127);
    CHECK(decoded[128] == -254);
  }
}

TEST_CASE("lossless: one row of 66 columns by hand") {
  // Exponent 127 (1.0) throughout, but column 1 is 2⁻³ (124), column 2 is 0 (0), column 65 is 2 (128).
  std::vector<uint8_t> bf16(132);
  for (size_t i = 0; i < 66; i++) {
    bf16[2 * i] = 0x80;
    bf16[2 * i + 1] = 0x3f;
  }
  bf16[2] = 0x00, bf16[3] = 0x3e;
  bf16[4] = 0x00, bf16[5] = 0x80;  // -0
  bf16[130] = 0x01, bf16[131] = 0x40;
  uint8_t base = 0;
  const Survey survey = surveyLossless(bf16.data(), 66, &base, 0, 1);
  // 128 … 122 to 130 … 124 hold all but the zero; the highest base wins.
  CHECK(base == 130);
  CHECK(survey.capacity == 1);
  CHECK(survey.firstNonFinite == -1);
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<uint8_t> bytes(66), codes(48), escapes(2), decoded(132);
    CHECK(kernels->encodeLossless({bf16.data(), bytes.data(), codes.data(), escapes.data(), 2, 66}, &base, 0,
                                  1));
    CHECK(bytes[0] == 0x00);
    CHECK(bytes[2] == 0x80);
    CHECK(bytes[65] == 0x01);
    // Codes: 3 (130 - 127) throughout; 6 in column 1, 7 in column 2; 3 and 2 in the second group.
    CHECK(codes[0] == (0xff & ~2));
    CHECK(codes[8] == 0xff);
    CHECK(codes[16] == 0x06);
    CHECK(codes[24] == 0x01);
    CHECK(codes[32] == 0x03);
    CHECK(codes[40] == 0x00);
    CHECK(escapes == std::vector<uint8_t>{130, 0});
    CHECK(kernels->decodeLossless({decoded.data(), bytes.data(), codes.data(), escapes.data(), 2, 66}, 0, 1));
    CHECK(decoded == bf16);
    // No room for the escape.
    CHECK_FALSE(kernels->encodeLossless({bf16.data(), bytes.data(), codes.data(), escapes.data(), 1, 66},
                                        &base, 0, 1));
    CHECK_FALSE(
        kernels->decodeLossless({decoded.data(), bytes.data(), codes.data(), escapes.data(), 1, 66}, 0, 1));
  }
}

TEST_CASE("all sets give the bits of the scalar one") {
  const std::vector<float> nibbles = nibbleMap(), bytes = byteMap();
  const size_t rows = 3, cols = 2114, elements = rows * cols;
  const std::vector<uint8_t> source = bf16Bytes(gaussian(elements));
  std::vector<uint8_t> bases(rows);
  const Survey survey = surveyLossless(source.data(), cols, bases.data(), 0, rows);
  std::vector<std::vector<uint8_t>> first;
  for (const Kernels* kernels : everyKernels()) {
    CAPTURE(kernels->name);
    std::vector<std::vector<uint8_t>> made;
    const auto keep = [&made](const auto& values) {
      const auto* from = reinterpret_cast<const uint8_t*>(values.data());
      made.emplace_back(from, from + values.size() * sizeof values[0]);
    };
    for (const std::vector<float>* map : {&nibbles, &bytes}) {
      const CodeTable table(map->data(), map->size());
      const size_t blockLength = map->size() == 16 ? 64 : 2048,
                   blocks = (elements + blockLength - 1) / blockLength;
      std::vector<uint8_t> codes(map->size() == 16 ? elements / 2 : elements);
      std::vector<float> absmax(blocks);
      std::vector<double> sums;
      const ErrorSums found = kernels->encodeCodes(
          {&table, blockLength, SourceDType::kBF16, source.data(), codes.data(), absmax.data(), elements}, 0,
          blocks);
      keep(codes), keep(absmax),
          keep(std::vector<double>{found.source, found.error, found.cross, found.largest});
    }
    for (const IntegerFormat format : {IntegerFormat::kInt8, IntegerFormat::kInt4}) {
      std::vector<uint8_t> codes(format == IntegerFormat::kInt8 ? elements : elements / 2);
      std::vector<float> scales(rows * 17);
      const ErrorSums found = kernels->encodeIntegers(
          {format, SourceDType::kBF16, source.data(), codes.data(), scales.data(), cols}, 0, rows);
      keep(codes), keep(scales),
          keep(std::vector<double>{found.source, found.error, found.cross, found.largest});
    }
    std::vector<uint8_t> low(elements), planes(rows * losslessCodeBytes(cols)),
        escapes(rows * (1 + survey.capacity));
    std::vector<uint8_t> bf16 = source, decoded(2 * elements);
    CHECK(kernels->encodeLossless(
        {bf16.data(), low.data(), planes.data(), escapes.data(), 1 + survey.capacity, cols}, bases.data(), 0,
        rows));
    CHECK(kernels->decodeLossless(
        {decoded.data(), low.data(), planes.data(), escapes.data(), 1 + survey.capacity, cols}, 0, rows));
    CHECK(decoded == source);
    keep(low), keep(planes), keep(escapes);
    if (first.empty()) first = made;
    CHECK(made == first);
  }
}

TEST_CASE("sums of integers are exact in any order") {
  // 0 + 1 + … + (n - 1) below 2²⁴.
  for (const size_t count : {0, 1, 31, 32, 33, 1000, 5000}) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; i++) values[i] = static_cast<float>(i);
    CHECK(torchSum(values.data(), count) == static_cast<float>(count * (count == 0 ? 0 : count - 1) / 2));
  }
}

TEST_CASE("factors: two blocks around their mean") {
  const std::vector<float> map = byteMap();
  const CodeTable table(map.data(), 256);
  std::vector<float> absmax(512, 1.0f);
  for (size_t i = 0; i < 512; i += 2) absmax[i] = 3;
  std::vector<uint8_t> codes(512);
  std::vector<float> nested(2);
  const NestedResult result =
      encodeFactors(*everyKernels().front(), table, absmax.data(), 512, codes.data(), nested.data());
  CHECK(result.offset == 2);
  CHECK(nested == std::vector<float>{1, 1});
  CHECK(codes[0] == 255);
  // -1 is beyond the lowest value of the map.
  CHECK(codes[1] == 0);
  CHECK(result.sums.source == 256 * 9 + 256);
  const double miss = 1.0 + static_cast<double>(map[0]);
  CHECK(result.sums.largest == doctest::Approx(std::abs(miss)));
}
