// x = value everywhere.

import type { FillCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, N]. */
export function fill(command: FillCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) x.set(t, n, command.value);
  }
}
