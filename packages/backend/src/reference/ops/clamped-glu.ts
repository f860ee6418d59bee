// The gated linear unit of gpt-oss: clamped, with a steeper sigmoid and one added to the linear part.

import type { ClampedGluCommand } from '../../command.js';
import { sigmoid } from '../activations.js';
import { Matrix } from '../matrix.js';

/** x [T, 2N], columns 2n the gate and 2n + 1 the linear part; out [T, N]. */
export function clampedGlu(command: ClampedGluCommand, values: Float64Array): void {
  const { alpha, limit } = command;
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  for (let t = 0; t < out.rows; t++) {
    for (let n = 0; n < out.cols; n++) {
      const gate = Math.min(x.get(t, 2 * n), limit);
      const up = Math.min(Math.max(x.get(t, 2 * n + 1), -limit), limit);
      out.set(t, n, (up + 1) * gate * sigmoid(alpha * gate));
    }
  }
}
