// linear of many rows in bf16: out[t, n] = Σₖ bf16(x[t, k]) · bf16(weight[n, k]) + bias[n], sums in float32.
// The table of one instruction set, and the layouts that its kernels meet at. Plain structs only, like
// operands.h.
//
//   x, packed   16 rows together: tiles [16 pairs of k][16 rows][2], k ascending
//   weights     panels of kPanelDepth columns, of each 16 rows together: tiles [16 rows][32 k]
//   sums        tiles [16 weights][16 rows of x] float32
#pragma once

#include "operands.h"

namespace airllm {

/** Rows of a tile, and its columns of k. */
constexpr size_t kTileSide = 16;
constexpr size_t kTileDepth = 32;
constexpr size_t kTileValues = kTileSide * kTileDepth;
constexpr size_t kTileSums = kTileSide * kTileSide;
/** Columns that are multiplied while two rows of tiles of x, 16 KB, are in the first-level cache. */
constexpr size_t kPanelTiles = 8;
constexpr size_t kPanelDepth = kPanelTiles * kTileDepth;
/** Rows and columns of the weight whose tiles, 1 MB, stay in the second-level cache while all of x goes by.
 */
constexpr size_t kBlockWeights = 256;
constexpr size_t kBlockDepth = 2048;
/** Rows of x that share a block. Their sums wait in memory where the weight has more columns than a block. */
constexpr size_t kBlockRows = 512;

/** Values of `rows` packed rows of x of `cols` columns. */
constexpr size_t packedValues(size_t rows, size_t cols) {
  return (rows + kTileSide - 1) / kTileSide * ((cols + kTileDepth - 1) / kTileDepth) * kTileValues;
}

/** Values of packed rows that are kept at a time, 16 MB: fewer rows of a wide x share a block then. */
constexpr size_t kPackedValues = size_t{8} << 20;
/** Fewer rows are as fast on the exact path, which reads the weight from memory at full speed. */
constexpr size_t kLeastFastRows = 8;

/** One or two rows of tiles, `apart` values between them. */
struct TileRows {
  const uint16_t* first;
  size_t apart;
  bool two;
};

/** What each thread needs. */
struct alignas(64) FastScratch {
  uint16_t weights[kBlockWeights * kBlockDepth];
  float sums[kBlockWeights * kBlockRows];
  float decoded[kBlockDepth];
};

struct FastLinear {
  const char* name;
  /** Units are groups of 16 rows of x; `packed` begins with group 0. */
  void (*packRows)(const Matrix& x, size_t begin, size_t end, uint16_t* packed);
  /** Units are rows of the weight. At most kBlockRows rows of x, which come packed. */
  void (*linear)(const LinearOp& op, const uint16_t* packed, size_t begin, size_t end, FastScratch& scratch);
  /** Products of one panel with itself, in the first-level cache; returns how many multiply-adds. */
  size_t (*products)(size_t repeats, FastScratch& scratch);
};

/** True for weights that these kernels take; a weight in float32 keeps its digits on the exact path. */
constexpr bool takesFast(const LinearOp& op) {
  return op.x.rows >= kLeastFastRows && packedValues(kTileSide, op.x.cols) <= kPackedValues &&
         op.weight.dtype != DType::kF32 && !op.normalizeRows;
}

/** Null where the binary was built without the set. Whether the machine has it is not checked here. */
const FastLinear* amxLinear();
const FastLinear* avx512Bf16Linear();

}  // namespace airllm
