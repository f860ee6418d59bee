// x[t, :] *= scales[t, 0].

import type { ScaleRowsCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, N], scales [T, 1]. */
export function scaleRows(command: ScaleRowsCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const scales = new Matrix(values, command.scales);
  for (let t = 0; t < x.rows; t++) {
    const factor = scales.get(t, 0);
    for (let n = 0; n < x.cols; n++) x.set(t, n, x.get(t, n) * factor);
  }
}
