// out[i, :] = table[ids[i], :].

import type { EmbeddingCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { Matrix } from '../matrix.js';
import { weightRows } from '../weight-rows.js';

/** table [V, D], ids [T], out [T, D]. */
export function embedding(command: EmbeddingCommand<WeightSlice>, values: Float64Array): void {
  const rowOf = weightRows(command.table);
  const out = new Matrix(values, command.out);
  command.ids.forEach((id, i) => values.set(rowOf(id), out.rowStart(i)));
}
