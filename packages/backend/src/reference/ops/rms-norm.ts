// Root mean square normalisation (Zhang & Sennrich 2019), whole rows or group by group.

import type { RmsNormCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';

/** x, out [T, groups · width], weight [width]. */
export function rmsNorm(command: RmsNormCommand<WeightSlice>, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  const weight = weightRows(command.weight)(0);
  const width = weight.length;
  for (let t = 0; t < x.rows; t++) {
    for (let group = 0; group < x.cols; group += width) {
      let squares = 0;
      for (let i = 0; i < width; i++) squares += x.get(t, group + i) ** 2;
      const scale = 1 / Math.sqrt(squares / width + command.eps);
      for (let i = 0; i < width; i++) {
        out.set(t, group + i, x.get(t, group + i) * scale * (weight[i] ?? 0));
      }
    }
  }
}
