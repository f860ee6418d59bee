// out[i, :] = x[indices[i], :] · scales[i].

import type { GatherRowsCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, N], indices [R], out [R, N]. */
export function gatherRows(command: GatherRowsCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  command.indices.forEach((row, i) => {
    const scale = command.scales?.[i] ?? 1;
    for (let n = 0; n < x.cols; n++) out.set(i, n, scale * x.get(row, n));
  });
}
