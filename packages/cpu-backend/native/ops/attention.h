// attention: appends k, v to a paged cache, then softmax(scale · q·kᵀ) · v per row and head.
//   q, out [T, heads · headDim]; k, v [T, kvHeads · headDim] float32; out must not overlap the others
//   keys, values [blocks, kvHeads, 16, headDim] float32; token t of a sequence lies in its block t / 16, slot
//   t % 16
// Head h reads key head h / (heads / kvHeads). A row at position p sees positions up to p, of its window and
// its chunk. Scores are capped, then biased by distance; a sink takes its share of the softmax in the end.
#pragma once

#include "attention_walk.h"

namespace airllm::AIRLLM_ISA {
namespace {

inline Walk walkOf(const AttentionOp& op, size_t row, size_t kvHead, size_t head, size_t heads) {
  const size_t perHead = kKvBlockTokens * op.headDim;
  Walk walk{};
  walk.q = op.q.data + row * op.q.stride + head * op.headDim;
  walk.qStride = op.q.stride;
  walk.out = op.out.data + row * op.out.stride + head * op.headDim;
  walk.outStride = op.out.stride;
  walk.heads = heads;
  walk.keys = op.keys + kvHead * perHead;
  walk.values = op.values + kvHead * perHead;
  walk.blockStride = op.kvHeads * perHead;
  walk.keyDim = op.headDim;
  walk.valueDim = op.headDim;
  walk.scale = op.scale;
  walk.window = op.window;
  walk.chunk = op.chunk;
  walk.softcap = op.softcap;
  walk.slopes = op.slopes == nullptr ? nullptr : op.slopes + head;
  walk.sinks = op.sinks;
  walk.firstHead = head;
  return walk;
}

void attend(const AttentionOp& op, size_t begin, size_t end) {
  const size_t rows = op.q.rows;
  const size_t group = op.heads / op.kvHeads;
  for (size_t unit = begin; unit < end;) {
    const size_t kvHead = unit / rows;
    const size_t row = unit % rows;
    const size_t left = end - unit < rows - row ? end - unit : rows - row;
    const size_t count = rowsTogether(op.places + row, left);
    for (size_t h = 0; h < group; h += kAttentionHeads) {
      const size_t heads = group - h < kAttentionHeads ? group - h : kAttentionHeads;
      attendRows(walkOf(op, row, kvHead, kvHead * group + h, heads), op.places + row, count);
    }
    unit += count;
  }
}

void appendKeysValues(const AttentionOp& op, size_t begin, size_t end) {
  const size_t perHead = kKvBlockTokens * op.headDim;
  for (size_t kvHead = begin; kvHead < end; kvHead++) {
    const size_t column = kvHead * op.headDim;
    appendRows(op.k, column, op.headDim, op.places, op.keys + kvHead * perHead, op.kvHeads * perHead);
    appendRows(op.v, column, op.headDim, op.places, op.values + kvHead * perHead, op.kvHeads * perHead);
  }
}

}  // namespace
}  // namespace airllm::AIRLLM_ISA
