// x = cap · tanh(x / cap): bounds values smoothly (Gemma Team 2024, arXiv 2408.00118).

import type { SoftcapCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, N]. */
export function softcap({ x: tensor, cap }: SoftcapCommand, values: Float64Array): void {
  const x = new Matrix(values, tensor);
  for (let t = 0; t < x.rows; t++) {
    for (let n = 0; n < x.cols; n++) x.set(t, n, cap * Math.tanh(x.get(t, n) / cap));
  }
}
