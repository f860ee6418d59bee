// Operands of ops as kernels see them: raw pointers and shapes, already validated. Plain structs only,
// because this header is compiled once per instruction set and must not emit code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airllm {

enum class DType : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kBF16 = 2,
  kF8E4M3 = 3,
  // Packed: of embedding, linear and linearTransposed alone.
  kQ8 = 4,
  kQ4 = 5,
  kQ4K = 6,
  kQ6K = 7,
  kMxFp4 = 8,
  kCode4 = 9,
  kGptq = 10,
  kAwq = 11,
  kCode8 = 12,
  kInt8 = 13,
  kInt4 = 14,
  kBf16z = 15
};

constexpr DType kLastDType = DType::kBf16z;

constexpr bool isPacked(DType dtype) { return dtype >= DType::kQ8; }

/** Columns of bf16z whose codes stand together, and bytes of these: three planes of 8. */
constexpr size_t kLosslessGroup = 64;
constexpr size_t kLosslessGroupBytes = 24;

/**
 * Elements and bytes of the smallest run of a row that may begin and end anywhere. Rows of code4 may begin
 * within a byte: the bytes of a weight are those of all its elements, rounded up.
 */
struct BlockSize {
  size_t elements;
  size_t bytes;
};

constexpr BlockSize blockSize(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return {1, 4};
    case DType::kF16:
    case DType::kBF16:
      return {1, 2};
    case DType::kF8E4M3:
    case DType::kCode8:
    case DType::kInt8:
    case DType::kBf16z:
      return {1, 1};
    case DType::kQ8:
      return {32, 34};
    case DType::kQ4:
      return {32, 18};
    case DType::kQ4K:
      return {256, 144};
    case DType::kQ6K:
      return {256, 210};
    case DType::kMxFp4:
      return {32, 16};
    case DType::kInt4:
      return {2, 1};
    case DType::kCode4:
      return {1, 0};
    case DType::kGptq:
    case DType::kAwq:
      return {8, 4};
  }
  return {1, 4};
}

enum class Activation : uint8_t { kSilu = 0, kGelu = 1, kGeluTanh = 2 };

/** Tokens in one block of a KV cache (KV_BLOCK_TOKENS of the contract). */
constexpr size_t kKvBlockTokens = 16;

/** Columns that one unit of an element-wise op covers. */
constexpr size_t kColumnBlock = 1024;

/** float32 [rows, cols]; element (r, c) at data[r * stride + c]. */
struct Matrix {
  float* data;
  size_t rows;
  size_t cols;
  size_t stride;
};

/**
 * Factors of a weight in f8e4m3, float32 or bfloat16, at any byte address: element (r, c) of the weight times
 * factor
 * ((firstRow + r) / blockRows, c / blockCols) of a grid of `cols` columns.
 */
struct Scales {
  const uint8_t* data;
  size_t cols;
  size_t blockRows;
  size_t blockCols;
  size_t firstRow;
  /** c >> shift is c / blockCols for every column; kNoShift where no shift is. */
  unsigned shift;
  bool bf16 = false;
};

/** What stands beside a packed weight, at any byte address; which of it, and what it means, formats/ says. */
struct Packing {
  /** mxfp4: a byte per 32 columns; codes: float32 per block, or bytes; groups: factorDType per group and
   * column; integers: float32 per row and group of columns; bf16z: a row's base and escapes. */
  const uint8_t* factors = nullptr;
  DType factorDType = DType::kF32;
  /** code4 and code8: float32 [16] or [256]; elements of a block, and those of the first before the slice.
   * bf16z: bit planes. */
  const uint8_t* codes = nullptr;
  size_t blockLength = 0;
  size_t first = 0;
  /** Codes with quantized factors: float32 [256], float32 per nestedBlock factors, number of the slice's
   * first. */
  const uint8_t* nestedCodes = nullptr;
  const uint8_t* nestedFactors = nullptr;
  size_t nestedBlock = 0;
  size_t nestedFirst = 0;
  float nestedOffset = 0;
  /** Groups: words of zeros, and rows of a group; or, for rows in any order, an int32 per row and the number
   * of groups. */
  const uint8_t* zeros = nullptr;
  size_t groupRows = 0;
  const uint8_t* rowGroups = nullptr;
  size_t groups = 0;
  /** Integers: columns of a group. */
  size_t groupCols = 0;
  /** bf16z: bytes of a row's base and escapes. */
  size_t escapeBytes = 0;
};

constexpr unsigned kNoShift = 64;

/** [rows, cols] of dtype, rows back to back, any byte alignment. Absent when data is null. */
struct Weight {
  const uint8_t* data;
  DType dtype;
  size_t rows;
  size_t cols;
  /** Of f8e4m3. */
  Scales scales{};
  /** Of packed dtypes. */
  Packing packing{};
};

/** out[i, :] = table[ids[i], :]. */
struct EmbeddingOp {
  Weight table;
  const uint32_t* ids;
  Matrix out;
};

/** out = x / sqrt(mean(x²) + eps) · (weight + weightOffset), per group of groupWidth columns. */
struct RmsNormOp {
  Matrix x;
  /** [groupWidth], [cols] or absent. */
  Weight weight;
  size_t groupWidth;
  float weightOffset;
  float eps;
  Matrix out;
};

/** out = (x − mean) / sqrt(variance + eps) · weight + bias, per group of groupWidth columns. */
struct LayerNormOp {
  Matrix x;
  /** [groupWidth], [cols] or absent, both. */
  Weight weight;
  Weight bias;
  size_t groupWidth;
  float eps;
  Matrix out;
};

/** out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n]; x [T, K], weight [N, K], bias [N], out [T, N]. */
struct LinearOp {
  Matrix x;
  Weight weight;
  Weight bias;
  Matrix out;
  /** Divide by the length of weight row n instead; no bias then. */
  bool normalizeRows = false;
};

/** out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or on top of out; x [T, K], weight [K, N], out [T, N]. */
struct LinearTransposedOp {
  Matrix x;
  Weight weight;
  Weight bias;
  Matrix out;
  bool accumulate;
};

/** In-place rotation of rotaryDim columns of each head from rotaryStart on; cos, sin [T, rotaryDim / 2]. */
struct RopeOp {
  Matrix x;
  Matrix cos;
  Matrix sin;
  size_t headDim;
  size_t rotaryStart;
  size_t rotaryDim;
  bool interleaved;
};

/** Where one row of a pass stands in its sequence. `blocks` lists the sequence's KV blocks in order. */
struct RowPlace {
  size_t position;
  const int32_t* blocks;
};

/** Causal attention over a paged cache; keys, values [blocks, kvHeads, 16, headDim] float32. */
struct AttentionOp {
  Matrix q;
  Matrix k;
  Matrix v;
  Matrix out;
  float* keys;
  float* values;
  size_t heads;
  size_t kvHeads;
  size_t headDim;
  float scale;
  /** Positions a row sees, its own included. */
  size_t window;
  /** Positions p of floor(p / chunk) equal to its own are all a row sees. */
  size_t chunk;
  /** Scores become softcap · tanh(score / softcap); infinite for none. */
  float softcap;
  /** [heads], or absent. */
  Weight sinks;
  /** One per head, or null. */
  const float* slopes;
  /** One per row. */
  const RowPlace* places;
};

/**
 * Latent attention; latents [blocks, 16, rank + ropeDim] float32, kvB [heads · (nopeDim + valueDim), rank],
 * q [T, heads · (nopeDim + ropeDim)], latent [T, rank + ropeDim], out [T, heads · valueDim].
 */
struct LatentAttentionOp {
  Matrix q;
  Matrix latent;
  Weight kvB;
  Matrix out;
  float* latents;
  size_t heads;
  size_t rank;
  size_t nopeDim;
  size_t ropeDim;
  size_t valueDim;
  float scale;
  const RowPlace* places;
};

/** Rows of one sequence in a pass, `past` rows after its first, and the number of its recurrent state. */
struct SequenceRun {
  size_t rowStart;
  size_t rowCount;
  size_t past;
  size_t slot;
};

/** What a layer keeps of each sequence: float32 values of slot s at data + s · slotStride. */
struct RecurrentMemory {
  float* data;
  size_t slotStride;
  const SequenceRun* sequences;
  size_t sequenceCount;
};

/** out = silu(convolution of x over time); x, out [T, C], weight [C, width], inputs [width − 1, C] per slot.
 */
struct ShortConvOp {
  Matrix x;
  Weight weight;
  Weight bias;
  Matrix out;
  RecurrentMemory inputs;
};

/** The gated delta rule; state [valueHeads, keyDim, valueDim] per slot. */
struct GatedDeltaOp {
  Matrix q;
  Matrix k;
  Matrix v;
  Matrix a;
  Matrix b;
  Weight aLog;
  Weight dtBias;
  Matrix out;
  size_t keyHeads;
  size_t valueHeads;
  size_t keyDim;
  size_t valueDim;
  RecurrentMemory state;
};

/** out = activation(gate) ⊙ up. */
struct GluOp {
  Matrix gate;
  Matrix up;
  Activation activation;
  Matrix out;
};

/** out = (up + 1) · gate · sigmoid(alpha · gate), gate and up clamped columns 2n and 2n + 1 of x [T, 2N]. */
struct ClampedGluOp {
  Matrix x;
  float alpha;
  float limit;
  Matrix out;
};

/** out = activation(x). */
struct ActivateOp {
  Matrix x;
  Activation activation;
  Matrix out;
};

/** out = x ⊙ sigmoid(gate); gate [T, N] or [T, 1]. */
struct SigmoidGateOp {
  Matrix x;
  Matrix gate;
  Matrix out;
};

/** x = cap · tanh(x / cap). */
struct SoftcapOp {
  Matrix x;
  float cap;
};

/** x *= value. */
struct ScaleOp {
  Matrix x;
  float value;
};

/** x[t, :] *= scales[t, 0]. */
struct ScaleRowsOp {
  Matrix x;
  Matrix scales;
};

/** x += y. */
struct AccumulateOp {
  Matrix x;
  Matrix y;
};

/** x = value. */
struct FillOp {
  Matrix x;
  float value;
};

/** out[t, g · count + j] = x[t, g · groupWidth + start + j]. */
struct UngroupOp {
  Matrix x;
  size_t groupWidth;
  size_t start;
  size_t count;
  Matrix out;
};

/** out[i, :] = x[indices[i], :], times scales[i] unless scales is null. */
struct GatherRowsOp {
  Matrix x;
  const uint32_t* indices;
  const float* scales;
  Matrix out;
};

/** out[indices[i], :] += scales[i] · x[i, :], in the order of i. */
struct ScatterAddRowsOp {
  Matrix x;
  const uint32_t* indices;
  const float* scales;
  Matrix out;
};

}  // namespace airllm
