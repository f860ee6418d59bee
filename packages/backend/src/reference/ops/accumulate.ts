// x += y.

import type { AccumulateCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x, y [T, N]. */
export function accumulate(command: AccumulateCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const y = new Matrix(values, command.y);
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) x.set(t, n, x.get(t, n) + y.get(t, n));
  }
}
