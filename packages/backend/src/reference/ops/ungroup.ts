// out[t, g · count + j] = x[t, g · groupWidth + start + j].

import type { UngroupCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/** x [T, groups · groupWidth], out [T, groups · count]. */
export function ungroup(
  { groupWidth, start, count, ...command }: UngroupCommand,
  values: Float64Array,
): void {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  for (let t = 0; t < out.rows; t++) {
    for (let n = 0; n < out.cols; n++) {
      const group = Math.floor(n / count);
      out.set(t, n, x.get(t, group * groupWidth + start + (n % count)));
    }
  }
}
