// out = activation(gate) ⊙ up: the gated linear unit (Shazeer 2020).

import type { GluCommand } from '../../command.js';
import { activationFunction } from '../activations.js';
import { Matrix } from '../matrix.js';

/** gate, up, out [T, N]; out may be gate or up. */
export function glu(command: GluCommand, values: Float64Array): void {
  const gate = new Matrix(values, command.gate);
  const up = new Matrix(values, command.up);
  const out = new Matrix(values, command.out);
  const activate = activationFunction(command.activation);
  for (let t = 0; t < gate.rows; t++) {
    for (let n = 0; n < gate.cols; n++) out.set(t, n, activate(gate.get(t, n)) * up.get(t, n));
  }
}
