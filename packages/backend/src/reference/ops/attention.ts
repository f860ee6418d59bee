// Attention over a paged KV cache (Vaswani et al. 2017; grouped heads: Ainslie et al. 2023; paging: Kwon
// et al. 2023; sliding window: Jiang et al. 2023).

import type { SequenceSlice } from '../../batch.js';
import type { AttentionCommand } from '../../command.js';
import { BackendError } from '../../errors.js';
import { dot } from '../dot.js';
import { Matrix } from '../matrix.js';
import type { KvLayer } from '../reference-kv-cache.js';
import type { Workspace } from '../run-command.js';

/** q, out [T, heads · headDim], k, v [T, kvHeads · headDim]. */
export function* attention(command: AttentionCommand, workspace: Workspace): Generator<undefined, void> {
  const { values, kvCache, batch } = workspace;
  if (!kvCache || !batch) throw new BackendError('INVALID_OPERAND', 'Expected a KV cache and a batch layout');
  const layer = kvCache.layer(command.layer);
  const { heads, kvHeads, window } = command;
  for (const sequence of batch.sequences) {
    append(layer, sequence, new Matrix(values, command.k), new Matrix(values, command.v));
    for (let i = 0; i < sequence.rowCount; i++) {
      const position = sequence.past + i;
      const first = window === undefined ? 0 : Math.max(0, position - window + 1);
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor(head / (heads / kvHeads));
        const tokens: number[] = [];
        for (let token = first; token <= position; token++) {
          tokens.push(layer.indexOf(sequence.blocks, kvHead, token));
        }
        attend(command, values, { layer, tokens, row: sequence.rowStart + i, head });
        yield;
      }
    }
  }
}

/** Stores the keys and values of a sequence's rows behind its past. */
function append(layer: KvLayer, sequence: SequenceSlice, k: Matrix, v: Matrix): void {
  const { kvHeads, headDim } = layer.shape;
  for (let i = 0; i < sequence.rowCount; i++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const index = layer.indexOf(sequence.blocks, kvHead, sequence.past + i);
      for (let d = 0; d < headDim; d++) {
        layer.keys[index + d] = k.get(sequence.rowStart + i, kvHead * headDim + d);
        layer.values[index + d] = v.get(sequence.rowStart + i, kvHead * headDim + d);
      }
    }
  }
}

/** One row and head: softmax(scale · q·kᵀ) · v over `tokens`, their places in the cache. */
function attend(
  { q, out, scale, headDim }: AttentionCommand,
  values: Float64Array,
  { layer, tokens, row, head }: { layer: KvLayer; tokens: readonly number[]; row: number; head: number },
): void {
  const queryStart = new Matrix(values, q).rowStart(row) + head * headDim;
  const scores = tokens.map((token) => scale * dot([values, queryStart], [layer.keys, token], headDim));
  // Subtracting the largest score changes nothing but keeps exp() finite.
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  const sums = new Float64Array(headDim);
  tokens.forEach((token, j) => {
    const weight = (weights[j] ?? 0) / total;
    for (let d = 0; d < headDim; d++) sums[d] = (sums[d] ?? 0) + weight * (layer.values[token + d] ?? 0);
  });
  values.set(sums, new Matrix(values, out).rowStart(row) + head * headDim);
}
