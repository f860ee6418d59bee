// Decoders of the ops with weights: embedding, norms, projections.

#include "ops.h"

namespace airllm {
namespace {

/** Groups of columns, and vectors as long as a group or as a row. */
void expectGroups(const Matrix& x, size_t groupWidth, std::initializer_list<Weight> vectors) {
  expect(x.cols % groupWidth == 0, "Expected whole groups of columns for a norm");
  for (const Weight& vector : vectors) {
    expect(
        vector.data == nullptr || (vector.rows == 1 && (vector.cols == groupWidth || vector.cols == x.cols)),
        "Expected one value per column of a group or of a row for a norm");
  }
}

}  // namespace

Op decodeEmbedding(Reader& in) {
  const Weight table = in.packableWeight();
  const Matrix out = in.tensor();
  expect(table.cols == out.cols, "Expected as many columns as the embedding table has");
  return EmbeddingOp{table, in.indices(out.rows, table.rows), out};
}

Op decodeRmsNorm(Reader& in) {
  const Matrix x = in.tensor();
  const Weight weight = in.optionalWeight();
  const size_t groupWidth = in.positive();
  const bool offset = in.flag();
  const float eps = static_cast<float>(in.word());
  expectGroups(x, groupWidth, {weight});
  return RmsNormOp{x, weight, groupWidth, offset ? 1.0f : 0.0f, eps, in.tensor(x.rows, x.cols)};
}

Op decodeLayerNorm(Reader& in) {
  const Matrix x = in.tensor();
  const Weight weight = in.optionalWeight();
  const Weight bias = in.optionalWeight();
  const size_t groupWidth = in.positive();
  const float eps = static_cast<float>(in.word());
  expectGroups(x, groupWidth, {weight, bias});
  return LayerNormOp{x, weight, bias, groupWidth, eps, in.tensor(x.rows, x.cols)};
}

Op decodeLinear(Reader& in) {
  const Matrix x = in.tensor();
  const Weight weight = in.packableWeight();
  const Weight bias = in.optionalVector(weight.rows);
  const bool normalizeRows = in.flag();
  expect(x.cols == weight.cols, "Expected as many columns of x as the weight of linear has");
  expect(!normalizeRows || bias.data == nullptr, "Expected no bias beside normalizeRows");
  expect(!normalizeRows || !isPacked(weight.dtype),
         "Expected a weight of single values beside normalizeRows");
  return LinearOp{x, weight, bias, in.tensor(x.rows, weight.rows), normalizeRows};
}

Op decodeLinearTransposed(Reader& in) {
  const Matrix x = in.tensor();
  const Weight weight = in.packableWeight();
  const Weight bias = in.optionalVector(weight.cols);
  const bool accumulate = in.flag();
  expect(x.cols == weight.rows, "Expected as many columns of x as the weight of linearTransposed has rows");
  expect(!accumulate || bias.data == nullptr, "Expected no bias beside accumulate");
  return LinearTransposedOp{x, weight, bias, in.tensor(x.rows, weight.cols), accumulate};
}

}  // namespace airllm
