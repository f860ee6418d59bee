// x *= value.

import type { ScaleCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, N]. */
export function scale(command: ScaleCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) x.set(t, n, x.get(t, n) * command.value);
  }
}
