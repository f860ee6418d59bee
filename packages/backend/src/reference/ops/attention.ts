// Attention over a paged KV cache (Vaswani et al. 2017; grouped heads: Ainslie et al. 2023; paging: Kwon
// et al. 2023; sliding window: Jiang et al. 2023; linear biases: Press et al. 2022; sinks: Xiao et al. 2023).

import type { SequenceSlice } from '../../batch.js';
import type { AttentionCommand } from '../../command.js';
import type { WeightSlice } from '../../weight.js';
import { dot } from '../dot.js';
import { Matrix } from '../matrix.js';
import type { KvLayer } from '../kv-layer.js';
import { softmax } from '../softmax.js';
import { weightRows } from '../weight-rows.js';
import { sequenceMemory, type Workspace } from '../workspace.js';

/** q, out [T, heads · headDim], k, v [T, kvHeads · headDim], sinks [heads]. */
export function* attention(
  command: AttentionCommand<WeightSlice>,
  workspace: Workspace,
): Generator<undefined, void> {
  const { values } = workspace;
  const { kvCache, batch } = sequenceMemory(workspace);
  const layer = kvCache.attentionLayer(command.layer);
  const sinks = command.sinks && weightRows(command.sinks)(0);
  for (const sequence of batch.sequences) {
    append(layer, sequence, { k: new Matrix(values, command.k), v: new Matrix(values, command.v) });
    for (let i = 0; i < sequence.rowCount; i++) {
      for (let head = 0; head < command.heads; head++) {
        const position = sequence.past + i;
        attend(command, values, { layer, sequence, position, head, sink: sinks?.[head] });
        yield;
      }
    }
  }
}

/** Stores the keys and values of a sequence's rows behind its past. */
function append(layer: KvLayer, { blocks, rowStart, rowCount, past }: SequenceSlice, kv: KeysValues): void {
  const { kvHeads, headDim } = layer.shape;
  for (let i = 0; i < rowCount; i++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const index = layer.indexOf(blocks, kvHead, past + i);
      for (let d = 0; d < headDim; d++) {
        layer.keys[index + d] = kv.k.get(rowStart + i, kvHead * headDim + d);
        layer.values[index + d] = kv.v.get(rowStart + i, kvHead * headDim + d);
      }
    }
  }
}

interface KeysValues {
  readonly k: Matrix;
  readonly v: Matrix;
}

interface Attended {
  readonly layer: KvLayer;
  readonly sequence: SequenceSlice;
  readonly position: number;
  readonly head: number;
  readonly sink: number | undefined;
}

/** One row and head: the scores of all positions the row sees, their softmax, and the values weighted by it. */
function attend(
  command: AttentionCommand<WeightSlice>,
  values: Float64Array,
  { layer, sequence, position, head, sink }: Attended,
): void {
  const { heads, kvHeads, headDim, scale, softcap } = command;
  const row = sequence.rowStart + position - sequence.past;
  const query = new Matrix(values, command.q).rowStart(row) + head * headDim;
  const kvHead = Math.floor(head / (heads / kvHeads));
  const slope = command.alibiSlopes?.[head] ?? 0;
  const tokens: number[] = [];
  const scores: number[] = [];
  for (let seen = firstSeen(command, position); seen <= position; seen++) {
    const token = layer.indexOf(sequence.blocks, kvHead, seen);
    let score = scale * dot([values, query], [layer.keys, token], headDim);
    if (softcap !== undefined) score = softcap * Math.tanh(score / softcap);
    tokens.push(token);
    scores.push(score + slope * (seen - position));
  }
  const weights = softmax(scores, sink);
  const sums = new Float64Array(headDim);
  tokens.forEach((token, j) => {
    const weight = weights[j] ?? 0;
    for (let d = 0; d < headDim; d++) sums[d] = (sums[d] ?? 0) + weight * (layer.values[token + d] ?? 0);
  });
  values.set(sums, new Matrix(values, command.out).rowStart(row) + head * headDim);
}

/** The first position that a row at `position` sees. */
function firstSeen(
  { window = Infinity, chunk = Infinity }: AttentionCommand<WeightSlice>,
  position: number,
): number {
  const chunkStart = chunk === Infinity ? 0 : Math.floor(position / chunk) * chunk;
  return Math.max(chunkStart, position - window + 1);
}
