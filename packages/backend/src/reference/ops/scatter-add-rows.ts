// out[indices[i], :] += scales[i] · x[i, :].

import type { ScatterAddRowsCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [R, N], indices, scales [R], out [T, N]. Rows are added in the order of `indices`. */
export function scatterAddRows(command: ScatterAddRowsCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  command.indices.forEach((row, i) => {
    const scale = command.scales[i] ?? 0;
    for (let n = 0; n < x.cols; n++) out.set(row, n, out.get(row, n) + scale * x.get(i, n));
  });
}
