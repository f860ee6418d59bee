// out = activation(x).

import type { ActivateCommand } from '../../command.js';
import { activationFunction } from '../activations.js';
import { Matrix } from '../matrix.js';

/** x, out [T, N]; out may be x. */
export function activate(command: ActivateCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  const activation = activationFunction(command.activation);
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) out.set(t, n, activation(x.get(t, n)));
  }
}
