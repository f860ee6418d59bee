// Operands of ops as kernels see them: raw pointers and shapes, already validated. Plain structs only,
// because this header is compiled once per instruction set and must not emit code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airllm {

enum class DType : uint8_t { kF32 = 0, kF16 = 1, kBF16 = 2 };

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

/** [rows, cols] of dtype, rows back to back, any byte alignment. Absent when data is null. */
struct Weight {
  const uint8_t* data;
  DType dtype;
  size_t rows;
  size_t cols;
};

/** out[i, :] = table[ids[i], :]. */
struct EmbeddingOp {
  Weight table;
  const uint32_t* ids;
  Matrix out;
};

/** out = x / sqrt(mean(x²) + eps) * weight, per group of weight.cols columns. */
struct RmsNormOp {
  Matrix x;
  Weight weight;
  float eps;
  Matrix out;
};

/** out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n]; x [T, K], weight [N, K], bias [N], out [T, N]. */
struct LinearOp {
  Matrix x;
  Weight weight;
  Weight bias;
  Matrix out;
};

/** In-place rotation of the first rotaryDim columns of each head; cos, sin [T, rotaryDim / 2]. */
struct RopeOp {
  Matrix x;
  Matrix cos;
  Matrix sin;
  size_t headDim;
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
  /** One per row. */
  const RowPlace* places;
};

/** out = activation(gate) ⊙ up. */
struct GluOp {
  Matrix gate;
  Matrix up;
  Activation activation;
  Matrix out;
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

/** out[i, :] = x[indices[i], :]. */
struct GatherRowsOp {
  Matrix x;
  const uint32_t* indices;
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
