// out = x ⊙ σ(gate).

import type { SigmoidGateCommand } from '../../command.js';
import { sigmoid } from '../activations.js';
import { Matrix } from '../matrix.js';

/** x, out [T, N], gate [T, N] or [T, 1]; out may be x. */
export function sigmoidGate(command: SigmoidGateCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const gate = new Matrix(values, command.gate);
  const out = new Matrix(values, command.out);
  const perRow = gate.cols === 1;
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) out.set(t, n, x.get(t, n) * sigmoid(gate.get(t, perRow ? 0 : n)));
  }
}
