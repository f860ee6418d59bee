// out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or goes on from out.

import type { LinearTransposedCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';

/** x [T, K], weight [K, N], bias [N], out [T, N]. Products are added to `out` one k after the other. */
export function* linearTransposed(
  command: LinearTransposedCommand<WeightSlice>,
  values: Float64Array,
): Generator<undefined, void> {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  if (!command.accumulate) {
    const bias = command.bias && weightRows(command.bias)(0);
    for (let t = 0; t < out.rows; t++) {
      for (let n = 0; n < out.cols; n++) out.set(t, n, bias?.[n] ?? 0);
    }
  }
  const rowOf = weightRows(command.weight);
  for (let k = 0; k < x.cols; k++) {
    const weightRow = rowOf(k);
    for (let t = 0; t < x.rows; t++) {
      const factor = x.get(t, k);
      for (let n = 0; n < out.cols; n++) out.set(t, n, out.get(t, n) + factor * (weightRow[n] ?? 0));
    }
    yield;
  }
}
