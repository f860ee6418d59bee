// linear over eight-bit weights by products of whole numbers in tiles: x as digits (digit_rows.h), weights as
// they are or as digits (int8_tiles.h, code8_tiles.h). Every row goes this way or none, whatever rows are
// beside it, so that its outputs have the same bits; a row with infinities or NaN has none of these digits
// and goes the way of other sets.
#pragma once

#include "code8_tiles.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Bytes of scratch memory that hold digits of x; what follows holds digits of weights. */
constexpr size_t kDigitBytes = 192 * 1024;
/** Bytes of weights that stay in the second-level cache while all rows of x go by. */
constexpr size_t kStayingBytes = 512 * 1024;

/** Bytes along which processors read ahead by themselves. */
constexpr size_t kPageBytes = 4096;

/** The linear that takes what does not fit. */
using Otherwise = void (*)(const LinearOp& op, size_t begin, size_t end, float* scratch);

/** Rows [t, t + count) of x, count ≤ Apart. */
template <size_t Apart, typename Tiles>
AIRLLM_NOINLINE void sumRows(const LinearOp& op, const Tiles& tiles, size_t t, size_t count, size_t begin,
                             size_t end, int8_t* digits) {
  const DigitRows<Apart> x(op.x, t, count, digits);
  TileSession session(digitShapes<Apart>(kTileRows16));
  const auto sumTile = [&](const TileRowsOf& rows) {
    DigitSums<Apart> sums;
    tiles.sum(x, rows, sums);
    sums.finish(op, x, t, rows);
  };
  // Rows of one tile a page apart: the processor reads ahead by itself along one line of addresses in each.
  const size_t inPage = Tiles::kPageApart && op.weight.cols < kPageBytes ? kPageBytes / op.weight.cols : 1;
  size_t n = begin;
  for (; n + kTileRows16 * inPage <= end; n += kTileRows16 * inPage) {
    for (size_t i = 0; i < inPage; i++) sumTile({n + i, kTileRows16, inPage, i});
  }
  for (; n + kTileRows16 <= end; n += kTileRows16) sumTile({n, kTileRows16, 1, 0});
  if (n == end) return;
  session.shape(digitShapes<Apart>(end - n));
  sumTile({n, end - n, 1, 0});
}

template <typename Tiles>
void sumAllRows(const LinearOp& op, size_t begin, size_t end, float* scratch, Otherwise otherwise) {
  int8_t* digits = reinterpret_cast<int8_t*>(scratch);
  const Tiles tiles(op.weight, digits + kDigitBytes);
  const size_t cols = op.weight.cols;
  const bool together = op.x.rows > 1 && kRowsTogether * kDigits * cols <= kDigitBytes;
  const size_t apart = together ? kRowsTogether : 1;
  const size_t staying = kStayingBytes / cols / kTileRows16 * kTileRows16;
  const size_t most = op.x.rows <= apart ? end - begin : staying < kTileRows16 ? kTileRows16 : staying;
  for (size_t n = begin; n < end; n += most) {
    const size_t last = end - n < most ? end : n + most;
    for (size_t t = 0; t < op.x.rows; t += apart) {
      const size_t count = op.x.rows - t < apart ? op.x.rows - t : apart;
      if (together) {
        sumRows<kRowsTogether>(op, tiles, t, count, n, last, digits);
      } else {
        sumRows<1>(op, tiles, t, count, n, last, digits);
      }
    }
  }
  for (size_t t = 0; t < op.x.rows; t++) {
    const float* row = op.x.data + t * op.x.stride;
    if (largestBits(row, cols) < 0x7f800000) continue;
    LinearOp alone = op;
    alone.x = {op.x.data + t * op.x.stride, 1, cols, cols};
    alone.out = {op.out.data + t * op.out.stride, 1, op.out.cols, op.out.cols};
    otherwise(alone, begin, end, scratch);
  }
}

/** False, and nothing done, where the weight is none of these. */
bool digitLinear(const LinearOp& op, size_t begin, size_t end, float* scratch, Otherwise otherwise) {
  if (op.normalizeRows || kDigits * op.weight.cols > kDigitBytes) return false;
  if (Int8Tiles::fits(op.weight)) {
    sumAllRows<Int8Tiles>(op, begin, end, scratch, otherwise);
    return true;
  }
  if (Code8Tiles::fits(op.weight)) {
    sumAllRows<Code8Tiles>(op, begin, end, scratch, otherwise);
    return true;
  }
  return false;
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
