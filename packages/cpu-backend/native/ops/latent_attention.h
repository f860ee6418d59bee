// latentAttention: appends latents to a paged cache, then attends to them without expanding them (the
// absorbed form of DeepSeek-V2): for each row and head
//   u = qNope · kvBₖ                                 [rank], once per row
//   z = softmax(scale · [u | qRope] · [c | r]ᵀ) · c  [rank], over the cached latents [c | r]
//   out = kvBᵥ · z                                   [valueDim]
//   q [T, heads · (nopeDim + ropeDim)], latent [T, rank + ropeDim], out [T, heads · valueDim] float32
//   kvB [heads · (nopeDim + valueDim), rank] of any dtype; latents [blocks, 16, rank + ropeDim] float32
// The first and last line are linearTransposed and linear, whose rows do not depend on each other either.
//
// Units are (group of headsTogether heads, row): group · rows + row. Heads of a group share each block of
// latents while it is in cache, rows share the group's part of kvB.
#pragma once

#include "attention_walk.h"
#include "linear.h"
#include "linear_transposed.h"

namespace airllm::AIRLLM_ISA {
namespace {

/** Of `rows` rows: queries [rows, heads, rank + ropeDim] in latent space, then the latents' sums [rows,
 * heads, rank]. */
struct LatentScratch {
  float* queries;
  float* sums;
};

// At most kAttentionRows rows at once: linear and linearTransposed need no scratch memory for them.
static_assert(kAttentionRows <= kDirectRows && kAttentionRows <= kSumsInPlace);

/** q of one head into latent space, and its rotated part behind it. */
inline void absorbQueries(const LatentAttentionOp& op, size_t row, size_t rows, size_t head,
                          const Matrix& queries) {
  const float* q = op.q.data + row * op.q.stride + head * (op.nopeDim + op.ropeDim);
  const Weight keys = rowsOf(op.kvB, head * (op.nopeDim + op.valueDim), op.nopeDim);
  const Matrix nope{const_cast<float*>(q), rows, op.nopeDim, op.q.stride};
  const Matrix u{queries.data, rows, op.rank, queries.stride};
  const size_t units = (op.rank + kTransposedColumns - 1) / kTransposedColumns;
  linearTransposed({nope, keys, Weight{nullptr, DType::kF32, 0, 0}, u, false}, 0, units, nullptr);
  for (size_t t = 0; t < rows; t++) {
    for (size_t c = 0; c < op.ropeDim; c++) {
      queries.data[t * queries.stride + op.rank + c] = q[t * op.q.stride + op.nopeDim + c];
    }
  }
}

/** The sums of one head to its values. */
inline void expandValues(const LatentAttentionOp& op, size_t row, size_t rows, size_t head,
                         const Matrix& sums) {
  const Weight values = rowsOf(op.kvB, head * (op.nopeDim + op.valueDim) + op.nopeDim, op.valueDim);
  const Matrix out{op.out.data + row * op.out.stride + head * op.valueDim, rows, op.valueDim, op.out.stride};
  linear({sums, values, Weight{nullptr, DType::kF32, 0, 0}, out}, 0, op.valueDim, nullptr);
}

inline void attendLatents(const LatentAttentionOp& op, const LatentScratch& scratch, size_t row, size_t rows,
                          size_t heads) {
  const size_t dim = op.rank + op.ropeDim;
  Walk walk{};
  walk.q = scratch.queries;
  walk.qStride = heads * dim;
  walk.out = scratch.sums;
  walk.outStride = heads * op.rank;
  walk.heads = heads;
  walk.keys = op.latents;
  walk.values = op.latents;
  walk.blockStride = kKvBlockTokens * dim;
  walk.keyDim = dim;
  walk.valueDim = op.rank;
  walk.scale = op.scale;
  walk.window = static_cast<size_t>(-1);
  walk.chunk = static_cast<size_t>(-1);
  walk.softcap = INFINITY;
  for (size_t t = 0; t < rows;) {
    const size_t count = rowsTogether(op.places + row + t, rows - t);
    attendRows(walk, op.places + row + t, count);
    walk.q += count * walk.qStride;
    walk.out += count * walk.outStride;
    t += count;
  }
}

void attendLatent(const LatentAttentionOp& op, size_t headsTogether, size_t begin, size_t end,
                  float* scratch) {
  const size_t rows = op.q.rows;
  const size_t dim = op.rank + op.ropeDim;
  const size_t fitting = kScratchFloats / (headsTogether * (dim + op.rank));
  const size_t most = fitting < kAttentionRows ? fitting : kAttentionRows;
  for (size_t unit = begin; unit < end;) {
    const size_t head = unit / rows * headsTogether;
    const size_t row = unit % rows;
    const size_t left = end - unit < rows - row ? end - unit : rows - row;
    const size_t count = left < most ? left : most;
    const size_t heads = op.heads - head < headsTogether ? op.heads - head : headsTogether;
    const LatentScratch memory{scratch, scratch + count * heads * dim};
    for (size_t h = 0; h < heads; h++) {
      absorbQueries(op, row, count, head + h, {memory.queries + h * dim, count, dim, heads * dim});
    }
    attendLatents(op, memory, row, count, heads);
    for (size_t h = 0; h < heads; h++) {
      expandValues(op, row, count, head + h, {memory.sums + h * op.rank, count, op.rank, heads * op.rank});
    }
    unit += count;
  }
}

/** Units are rows. */
void appendLatents(const LatentAttentionOp& op, size_t begin, size_t end) {
  const Matrix rows{op.latent.data + begin * op.latent.stride, end - begin, op.latent.cols, op.latent.stride};
  appendRows(rows, 0, rows.cols, op.places + begin, op.latents, kKvBlockTokens * rows.cols);
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
