// Decoders of the ops that move rows or columns.

#include "ops.h"

namespace airllm {

Op decodeUngroup(Reader& in) {
  const Matrix x = in.tensor();
  const size_t groupWidth = in.positive(), start = in.integer(), count = in.positive();
  expect(x.cols % groupWidth == 0, "Expected whole groups of columns for ungroup");
  expect(inside(start, count, groupWidth), "Expected columns within a group for ungroup");
  return UngroupOp{x, groupWidth, start, count, in.tensor(x.rows, x.cols / groupWidth * count)};
}

Op decodeGatherRows(Reader& in) {
  const Matrix x = in.tensor(), out = in.tensor();
  expect(x.cols == out.cols, "Expected equal columns for gatherRows");
  const uint32_t* rows = in.indices(out.rows, x.rows);
  return GatherRowsOp{x, rows, in.flag() ? in.floats(out.rows) : nullptr, out};
}

Op decodeScatterAddRows(Reader& in) {
  const Matrix x = in.tensor(), out = in.tensor();
  expect(x.cols == out.cols, "Expected equal columns for scatterAddRows");
  const uint32_t* rows = in.indices(x.rows, out.rows);
  return ScatterAddRowsOp{x, rows, in.floats(x.rows), out};
}

}  // namespace airllm
