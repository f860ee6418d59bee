// Causal depthwise convolution over time, then SiLU (the short convolution of Mamba and of the delta nets).

import type { ShortConvCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { silu } from '../activations.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';
import { sequenceMemory, type Workspace } from '../workspace.js';

/** x, out [T, channels], weight [channels, width], bias [channels]. */
export function* shortConv(
  command: ShortConvCommand<WeightSlice>,
  workspace: Workspace,
): Generator<undefined, void> {
  const { kvCache, batch } = sequenceMemory(workspace);
  const layer = kvCache.recurrentLayer(command.layer);
  const x = new Matrix(workspace.values, command.x);
  const out = new Matrix(workspace.values, command.out);
  const rowOf = weightRows(command.weight);
  const bias = command.bias && weightRows(command.bias)(0);
  const width = command.weight.cols;
  for (const { rowStart, rowCount, past, slot } of batch.sequences) {
    const inputs = layer.convInputs(slot);
    if (past === 0) inputs.fill(0);
    for (let c = 0; c < x.cols; c++) {
      const weight = rowOf(c);
      // The last width − 1 inputs of earlier passes, then those of this one.
      const history = Array.from({ length: width - 1 }, (_, i) => inputs[i * x.cols + c] ?? 0);
      for (let t = 0; t < rowCount; t++) history.push(x.get(rowStart + t, c));
      for (let t = 0; t < rowCount; t++) {
        let sum = bias?.[c] ?? 0;
        for (let i = 0; i < width; i++) sum += (weight[i] ?? 0) * (history[t + i] ?? 0);
        out.set(rowStart + t, c, silu(sum));
      }
      for (let i = 0; i < width - 1; i++) inputs[i * x.cols + c] = history[rowCount + i] ?? 0;
      yield;
    }
  }
}
