// Layer normalisation (Ba et al. 2016), whole rows or group by group.

import type { LayerNormCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { columnFactors } from '../column-factors.js';
import { Matrix } from '../matrix.js';

/** x, out [T, groups · groupWidth], weight, bias [groupWidth] or [cols]. */
export function layerNorm(command: LayerNormCommand<WeightSlice>, values: Float64Array): void {
  const { groupWidth, eps } = command;
  const x = new Matrix(values, command.x);
  const out = new Matrix(values, command.out);
  const weight = columnFactors(command.weight, x.cols);
  const bias = columnFactors(command.bias, x.cols);
  for (let t = 0; t < x.rows; t++) {
    for (let group = 0; group < x.cols; group += groupWidth) {
      let sum = 0;
      for (let c = group; c < group + groupWidth; c++) sum += x.get(t, c);
      const mean = sum / groupWidth;
      let squares = 0;
      for (let c = group; c < group + groupWidth; c++) squares += (x.get(t, c) - mean) ** 2;
      const scale = 1 / Math.sqrt(squares / groupWidth + eps);
      for (let c = group; c < group + groupWidth; c++) {
        out.set(t, c, (x.get(t, c) - mean) * scale * (weight?.[c] ?? 1) + (bias?.[c] ?? 0));
      }
    }
  }
}
