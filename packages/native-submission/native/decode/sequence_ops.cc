// Decoders of the ops that know positions or remember their sequences.

#include <cmath>

#include "ops.h"

namespace airllm {
namespace {

RecurrentMemory memoryOf(Reader& in, const RecurrentLayer& layer, float* data, size_t rows) {
  in.expectSlots(rows, layer.slots);
  const std::vector<SequenceRun>& sequences = in.program().sequences;
  return {data, layer.slotStride, sequences.data(), sequences.size()};
}

}  // namespace

Op decodeRope(Reader& in) {
  const Matrix x = in.tensor();
  const size_t headDim = in.positive(), start = in.integer(), rotaryDim = in.positive();
  const bool interleaved = in.flag();
  expect(x.cols % headDim == 0 && rotaryDim % 2 == 0 && inside(start, rotaryDim, headDim),
         "Expected whole heads and an even rotaryDim within them for rope");
  const Matrix cos = in.tensor(x.rows, rotaryDim / 2), sin = in.tensor(x.rows, rotaryDim / 2);
  return RopeOp{x, cos, sin, headDim, start, rotaryDim, interleaved};
}

Op decodeAttention(Reader& in) {
  const size_t layerIndex = in.integer();
  AttentionOp op{};
  op.heads = in.positive();
  op.kvHeads = in.positive();
  op.headDim = in.positive();
  expect(op.headDim <= in.limits().headDim,
         "Expected heads of no more columns than this backend takes for attention");
  op.scale = in.finite();
  op.window = in.limit();
  op.chunk = in.limit();
  const double softcap = in.word();
  op.softcap = static_cast<float>(softcap);
  expect(softcap > 0 && op.softcap > 0, "Expected a softcap above 0 for attention");
  op.sinks = in.optionalVector(op.heads);
  op.slopes = in.flag() ? in.floats(op.heads) : nullptr;
  expect(op.heads % op.kvHeads == 0, "Expected heads to be a multiple of kvHeads");
  const size_t cols = product(op.heads, op.headDim), kvCols = product(op.kvHeads, op.headDim);
  op.q = in.tensor();
  expect(op.q.cols == cols, "Expected heads · headDim columns of queries for attention");
  op.k = in.tensor(op.q.rows, kvCols);
  op.v = in.tensor(op.q.rows, kvCols);
  op.out = in.tensor(op.q.rows, cols);
  const AttentionLayer layer = in.cache().attention(layerIndex, op.kvHeads, op.headDim, false);
  op.keys = layer.keys;
  op.values = layer.values;
  op.places = in.places(op.q.rows, layer.blocks);
  return op;
}

Op decodeLatentAttention(Reader& in) {
  const size_t layerIndex = in.integer();
  LatentAttentionOp op{};
  op.heads = in.positive();
  op.rank = in.positive();
  op.nopeDim = in.positive();
  op.ropeDim = in.positive();
  op.valueDim = in.positive();
  op.scale = in.finite();
  op.kvB = in.weight();
  const size_t dim = total(op.rank, op.ropeDim);
  expect(dim <= in.limits().latentDim,
         "Expected latents of no more columns than this backend takes for latentAttention");
  expect(op.kvB.cols == op.rank && op.kvB.rows == product(op.heads, total(op.nopeDim, op.valueDim)),
         "Expected a weight [heads · (nopeDim + valueDim), rank] for latentAttention");
  op.q = in.tensor();
  expect(op.q.cols == product(op.heads, total(op.nopeDim, op.ropeDim)),
         "Expected heads · (nopeDim + ropeDim) columns of queries for latentAttention");
  op.latent = in.tensor(op.q.rows, dim);
  op.out = in.tensor(op.q.rows, product(op.heads, op.valueDim));
  const AttentionLayer layer = in.cache().attention(layerIndex, 1, dim, true);
  op.latents = layer.keys;
  op.places = in.places(op.q.rows, layer.blocks);
  return op;
}

Op decodeShortConv(Reader& in) {
  const size_t layerIndex = in.integer();
  const Matrix x = in.tensor();
  const Weight weight = in.weight();
  const Weight bias = in.optionalVector(x.cols);
  const Matrix out = in.tensor(x.rows, x.cols);
  expect(weight.rows == x.cols && weight.cols > 0, "Expected a weight [channels, width] for shortConv");
  expect(weight.cols <= in.limits().convWidth,
         "Expected a convolution over no more rows than this backend takes for shortConv");
  const RecurrentLayer layer = in.cache().convolution(layerIndex, weight.rows, weight.cols);
  return ShortConvOp{x, weight, bias, out, memoryOf(in, layer, layer.inputs, x.rows)};
}

Op decodeGatedDelta(Reader& in) {
  const size_t layerIndex = in.integer();
  GatedDeltaOp op{};
  op.keyHeads = in.positive();
  op.valueHeads = in.positive();
  op.keyDim = in.positive();
  op.valueDim = in.positive();
  expect(op.valueHeads % op.keyHeads == 0, "Expected valueHeads to be a multiple of keyHeads");
  expect(op.keyDim <= in.limits().keyDim,
         "Expected keys of no more columns than this backend takes for gatedDelta");
  op.aLog = in.vector(op.valueHeads);
  op.dtBias = in.vector(op.valueHeads);
  const size_t keyCols = product(op.keyHeads, op.keyDim), valueCols = product(op.valueHeads, op.valueDim);
  op.q = in.tensor();
  expect(op.q.cols == keyCols, "Expected keyHeads · keyDim columns of queries for gatedDelta");
  const size_t rows = op.q.rows;
  op.k = in.tensor(rows, keyCols);
  op.v = in.tensor(rows, valueCols);
  op.a = in.tensor(rows, op.valueHeads);
  op.b = in.tensor(rows, op.valueHeads);
  op.out = in.tensor(rows, valueCols);
  const RecurrentLayer layer = in.cache().delta(layerIndex, op.valueHeads, op.keyDim, op.valueDim);
  op.state = memoryOf(in, layer, layer.state, rows);
  return op;
}

}  // namespace airllm
