// Decoders of the ops that treat every element, or every pair of columns, by itself.

#include "ops.h"

namespace airllm {
namespace {

Activation activation(Reader& in) {
  const size_t number = in.integer();
  expect(number <= 2, "Expected a known activation");
  return static_cast<Activation>(number);
}

float aboveZero(Reader& in, const char* message) {
  const float value = static_cast<float>(in.word());
  expect(value > 0, message);
  return value;
}

}  // namespace

Op decodeGlu(Reader& in) {
  const Activation function = activation(in);
  const Matrix gate = in.tensor(), up = in.tensor(gate.rows, gate.cols);
  return GluOp{gate, up, function, in.tensor(gate.rows, gate.cols)};
}

Op decodeClampedGlu(Reader& in) {
  const float alpha = in.finite();
  const float limit = aboveZero(in, "Expected a limit above 0 for clampedGlu");
  const Matrix out = in.tensor();
  return ClampedGluOp{in.tensor(out.rows, product(2, out.cols)), alpha, limit, out};
}

Op decodeActivate(Reader& in) {
  const Activation function = activation(in);
  const Matrix x = in.tensor();
  return ActivateOp{x, function, in.tensor(x.rows, x.cols)};
}

Op decodeSigmoidGate(Reader& in) {
  const Matrix x = in.tensor(), gate = in.tensor();
  expect(gate.rows == x.rows && (gate.cols == x.cols || gate.cols == 1),
         "Expected a gate for every column or for every row for sigmoidGate");
  return SigmoidGateOp{x, gate, in.tensor(x.rows, x.cols)};
}

Op decodeSoftcap(Reader& in) {
  const float cap = aboveZero(in, "Expected a cap above 0 for softcap");
  return SoftcapOp{in.tensor(), cap};
}

Op decodeScale(Reader& in) {
  const float value = static_cast<float>(in.word());
  return ScaleOp{in.tensor(), value};
}

Op decodeScaleRows(Reader& in) {
  const Matrix x = in.tensor();
  return ScaleRowsOp{x, in.tensor(x.rows, 1)};
}

Op decodeAccumulate(Reader& in) {
  const Matrix x = in.tensor();
  return AccumulateOp{x, in.tensor(x.rows, x.cols)};
}

Op decodeFill(Reader& in) {
  const float value = static_cast<float>(in.word());
  return FillOp{in.tensor(), value};
}

}  // namespace airllm
