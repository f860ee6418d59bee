// Root mean square normalisation (Zhang & Sennrich 2019), whole rows or group by group.

import type { RmsNormCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { columnFactors } from '../column-factors.js';
import { Matrix } from '../matrix.js';

/** x, out [T, groups · groupWidth], weight [groupWidth] or [cols]. */
export function rmsNorm(command: RmsNormCommand<WeightSlice>, values: Float64Array): void {
  const { groupWidth, eps, weightOffset } = command;
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  const weight = columnFactors(command.weight, x.cols);
  for (let t = 0; t < x.rows; t++) {
    for (let group = 0; group < x.cols; group += groupWidth) {
      let squares = 0;
      for (let c = group; c < group + groupWidth; c++) squares += x.get(t, c) ** 2;
      const scale = 1 / Math.sqrt(squares / groupWidth + eps);
      for (let c = group; c < group + groupWidth; c++) {
        const factor = weight ? (weight[c] ?? 0) + weightOffset : 1;
        out.set(t, c, x.get(t, c) * scale * factor);
      }
    }
  }
}
