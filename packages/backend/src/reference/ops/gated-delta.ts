// The gated delta rule (Yang et al. 2024, arXiv 2412.06464), one row after the other.

import type { GatedDeltaCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { sigmoid, softplus } from '../activations.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';
import { sequenceMemory, type Workspace } from '../workspace.js';

/** Added to the squared length of queries and keys before they are divided by it. */
const LENGTH_EPS = 1e-6;

/** q, k [T, keyHeads · keyDim], v, out [T, valueHeads · valueDim], a, b [T, valueHeads]. */
export function* gatedDelta(
  command: GatedDeltaCommand<WeightSlice>,
  workspace: Workspace,
): Generator<undefined, void> {
  const { keyHeads, valueHeads, keyDim, valueDim } = command;
  const { kvCache, batch } = sequenceMemory(workspace);
  const layer = kvCache.recurrentLayer(command.layer);
  const aLog = weightRows(command.aLog)(0);
  const dtBias = weightRows(command.dtBias)(0);
  const { q, k, v, a, b, out } = matricesOf(command, workspace.values);
  for (const { rowStart, rowCount, past, slot } of batch.sequences) {
    for (let head = 0; head < valueHeads; head++) {
      const keyStart = Math.floor(head / (valueHeads / keyHeads)) * keyDim;
      const memory = layer.state(slot, head);
      if (past === 0) memory.fill(0);
      const state = Float64Array.from(memory);
      for (let t = rowStart; t < rowStart + rowCount; t++) {
        const query = unit(q, t, { start: keyStart, count: keyDim });
        const key = unit(k, t, { start: keyStart, count: keyDim });
        const decay = Math.exp(-Math.exp(aLog[head] ?? 0) * softplus(a.get(t, head) + (dtBias[head] ?? 0)));
        const rate = sigmoid(b.get(t, head));
        for (let d = 0; d < valueDim; d++) {
          let predicted = 0;
          for (let i = 0; i < keyDim; i++) {
            const decayed = decay * (state[i * valueDim + d] ?? 0);
            state[i * valueDim + d] = decayed;
            predicted += (key[i] ?? 0) * decayed;
          }
          const change = rate * (v.get(t, head * valueDim + d) - predicted);
          let sum = 0;
          for (let i = 0; i < keyDim; i++) {
            const value = (state[i * valueDim + d] ?? 0) + (key[i] ?? 0) * change;
            state[i * valueDim + d] = value;
            sum += (query[i] ?? 0) * value;
          }
          out.set(t, head * valueDim + d, sum / Math.sqrt(keyDim));
        }
        yield;
      }
      memory.set(state);
    }
  }
}

function matricesOf(command: GatedDeltaCommand<WeightSlice>, values: Float64Array) {
  const matrix = (name: 'q' | 'k' | 'v' | 'a' | 'b' | 'out'): Matrix => new Matrix(values, command[name]);
  return {
    q: matrix('q'),
    k: matrix('k'),
    v: matrix('v'),
    a: matrix('a'),
    b: matrix('b'),
    out: matrix('out'),
  };
}

/** Columns [start, start + count) of a row, divided by their length. */
function unit(x: Matrix, row: number, { start, count }: { start: number; count: number }): Float64Array {
  const columns = Float64Array.from({ length: count }, (_, i) => x.get(row, start + i));
  const length = Math.sqrt(columns.reduce((sum, value) => sum + value * value, LENGTH_EPS));
  return columns.map((value) => value / length);
}
