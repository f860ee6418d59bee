// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434), as its definition reads: every latent is
// expanded to the keys and values of all heads before they are attended to.

import type { SequenceSlice } from '../../batch.js';
import type { LatentAttentionCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { Matrix } from '../matrix.js';
import type { KvLayer } from '../kv-layer.js';
import { softmax } from '../softmax.js';
import { weightRows } from '../weight-rows.js';
import { sequenceMemory, type Workspace } from '../workspace.js';

type LatentAttention = LatentAttentionCommand<WeightSlice>;

/** q [T, heads · (nopeDim + ropeDim)], latent [T, rank + ropeDim], out [T, heads · valueDim]. */
export function* latentAttention(command: LatentAttention, workspace: Workspace): Generator<undefined, void> {
  const { kvCache, batch } = sequenceMemory(workspace);
  const layer = kvCache.attentionLayer(command.layer);
  for (const sequence of batch.sequences) {
    append(layer, sequence, new Matrix(workspace.values, command.latent));
    const tokens = sequence.past + sequence.rowCount;
    for (let head = 0; head < command.heads; head++) {
      const expanded = yield* expand(command, head, { layer, blocks: sequence.blocks, tokens });
      for (let i = 0; i < sequence.rowCount; i++) {
        const at = { head, row: sequence.rowStart + i, position: sequence.past + i };
        attend(command, workspace.values, { ...expanded, ...at });
        yield;
      }
    }
  }
}

function append(layer: KvLayer, { blocks, rowStart, rowCount, past }: SequenceSlice, latent: Matrix): void {
  for (let i = 0; i < rowCount; i++) {
    const index = layer.indexOf(blocks, 0, past + i);
    for (let d = 0; d < latent.cols; d++) layer.keys[index + d] = latent.get(rowStart + i, d);
  }
}

/** The columns of one head's keys [nopeDim + ropeDim] and values [valueDim], each token by token. */
interface Expanded {
  readonly keys: readonly number[][];
  readonly values: readonly number[][];
}

function* expand(
  { kvB, rank, nopeDim, ropeDim, valueDim }: LatentAttention,
  head: number,
  { layer, blocks, tokens }: { layer: KvLayer; blocks: Int32Array; tokens: number },
): Generator<undefined, Expanded> {
  const starts = Array.from({ length: tokens }, (_, token) => layer.indexOf(blocks, 0, token));
  const rowOf = weightRows(kvB);
  const expanded: number[][] = [];
  for (let n = 0; n < nopeDim + valueDim; n++) {
    const weightRow = rowOf(head * (nopeDim + valueDim) + n);
    expanded.push(
      starts.map((start) => {
        let sum = 0;
        for (let r = 0; r < rank; r++) sum += (weightRow[r] ?? 0) * (layer.keys[start + r] ?? 0);
        return sum;
      }),
    );
    yield;
  }
  // The rotated part of the key is stored as it is, and shared by all heads.
  const rotated = Array.from({ length: ropeDim }, (_, d) =>
    starts.map((start) => layer.keys[start + rank + d] ?? 0),
  );
  return { keys: [...expanded.slice(0, nopeDim), ...rotated], values: expanded.slice(nopeDim) };
}

/** One row and head: softmax(scale · q·kᵀ) · v over the positions up to the row's own. */
function attend(
  { q, out, scale }: LatentAttention,
  arena: Float64Array,
  { keys, values, head, row, position }: Expanded & { head: number; row: number; position: number },
): void {
  const queries = new Matrix(arena, q);
  const outputs = new Matrix(arena, out);
  const scores = Array.from({ length: position + 1 }, (_, token) => {
    let sum = 0;
    keys.forEach((key, d) => (sum += queries.get(row, head * keys.length + d) * (key[token] ?? 0)));
    return scale * sum;
  });
  const weights = softmax(scores);
  values.forEach((value, d) => {
    const sum = weights.reduce((total, weight, token) => total + weight * (value[token] ?? 0), 0);
    outputs.set(row, head * values.length + d, sum);
  });
}
