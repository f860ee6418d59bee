// The code by buckets is the number of midpoints strictly below, at every midpoint and on both sides of it.

#include "code_table.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "support.h"

using namespace airllm;
using namespace airllm::test;

namespace {

int32_t codeOf(const CodeTable& table, float s) {
  const int32_t bucket = table.length() == 16 ? CodeTable::linearBucketOf(s) : CodeTable::floatBucketOf(s);
  return table.bases()[bucket] + (s > table.thresholds()[bucket] ? 1 : 0);
}

int32_t midpointsBelow(const std::vector<float>& map, float s) {
  int32_t below = 0;
  for (size_t i = 0; i + 1 < map.size(); i++) below += (map[i] + map[i + 1]) / 2.0f < s ? 1 : 0;
  return below;
}

}  // namespace

TEST_CASE("buckets find what a search finds") {
  for (const std::vector<float>& map : {nibbleMap(), byteMap()}) {
    CAPTURE(map.size());
    const CodeTable table(map.data(), map.size());
    std::vector<float> probes = {0.0f, -0.0f, 1e-45f, -1e-45f, 1e-38f, 0x1p-23f, -0x1p-23f};
    for (size_t i = 0; i + 1 < map.size(); i++) {
      const float middle = (map[i] + map[i + 1]) / 2.0f;
      for (const float probe :
           {map[i], middle, std::nextafter(middle, -2.0f), std::nextafter(middle, 2.0f)}) {
        probes.push_back(probe);
      }
    }
    for (int i = -4096; i <= 4096; i++) probes.push_back(static_cast<float>(i) / 4096.0f);
    for (const float probe : probes) {
      CAPTURE(probe);
      CHECK(codeOf(table, probe) == midpointsBelow(map, probe));
    }
    CHECK(map[table.zero()] == 0.0f);
  }
}

TEST_CASE("maps that buckets cannot tell apart are refused") {
  std::vector<float> map = nibbleMap();
  map[8] = 0.01f;
  map[9] = 0.02f;
  CHECK_THROWS_AS(CodeTable(map.data(), 16), std::invalid_argument);
  std::swap(map[0], map[15]);
  CHECK_THROWS_AS(CodeTable(map.data(), 16), std::invalid_argument);
  CHECK_THROWS_AS(CodeTable(map.data(), 15), std::invalid_argument);
}
