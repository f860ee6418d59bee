// out[t, n] = Σₖ x[t, k] · weight[n, k] + bias[n].

import type { LinearCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { dot } from '../dot.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';

/** Shortest length a weight row is divided by, so that a row of zeros stays one. */
const MIN_LENGTH = 1e-12;

/** x [T, K], weight [N, K], bias [N], out [T, N]. Each weight row is decoded once and used for all T rows. */
export function* linear(
  command: LinearCommand<WeightSlice>,
  values: Float64Array,
): Generator<undefined, void> {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  const rowOf = weightRows(command.weight);
  const bias = command.bias && weightRows(command.bias)(0);
  for (let n = 0; n < out.cols; n++) {
    const weightRow = rowOf(n);
    const divisor = command.normalizeRows ? Math.max(lengthOf(weightRow), MIN_LENGTH) : 1;
    for (let t = 0; t < x.rows; t++) {
      const sum = dot([values, x.rowStart(t)], [weightRow, 0], x.cols);
      out.set(t, n, sum / divisor + (bias?.[n] ?? 0));
    }
    yield;
  }
}

function lengthOf(row: Float32Array): number {
  return Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
}
