// Where the rows of a pass lie in a paged cache, as lists for kernels, and the kernel that appends them.

import { KV_BLOCK_TOKENS, type BatchLayout, type Tensor } from '@airllm/backend';
import { foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { OpContext } from '../dispatch/op-context.js';
import type { CacheLayer } from '../memory/kv-cache.js';

const LANES = 64;

/** For each row the token's place in the cache: block · KV_BLOCK_TOKENS + token within it. */
export function tokenPlaces(batch: BatchLayout): number[] {
  return batch.sequences.flatMap(({ rowCount, past, blocks }) =>
    Array.from({ length: rowCount }, (_, i) => {
      const token = past + i;
      const block = blocks[Math.floor(token / KV_BLOCK_TOKENS)] ?? 0;
      return block * KV_BLOCK_TOKENS + (token % KV_BLOCK_TOKENS);
    }),
  );
}

/**
 * For each row its position and where in the list its sequence's table begins; then the tables, as far as they are needed.
 *
 * @param rows those of the batch; default all
 */
export function rowTables(batch: BatchLayout, rows = { first: 0, count: batch.rows }): number[] {
  const heads: number[] = [];
  const tables: number[] = [];
  for (const { rowStart, rowCount, past, blocks } of batch.sequences) {
    const start = Math.max(rowStart, rows.first);
    const end = Math.min(rowStart + rowCount, rows.first + rows.count);
    if (start >= end) continue;
    for (let row = start; row < end; row++) heads.push(past + row - rowStart, 2 * rows.count + tables.length);
    tables.push(...blocks.subarray(0, Math.ceil((past + end - rowStart) / KV_BLOCK_TOKENS)));
  }
  return [...heads, ...tables];
}

/** k, v [T, kvHeads · headDim]; v is absent where a layer keeps keys only. */
export function appendRows(
  context: OpContext,
  { k, v, headDim, layer }: { k: Tensor; v: Tensor | undefined; headDim: number; layer: CacheLayer },
): void {
  if (!context.batch) throw new TypeError('Expected a batch that has been checked');
  const kernel = kernelOf('append-rows', () => ({
    params: 'k: Tensor, v: Tensor, head_dim: u32, has_values: u32',
    buffers: [
      ARENA,
      { name: 'keys', access: 'read_write', type: 'floats' },
      { name: 'values', access: 'read_write', type: 'floats' },
    ],
    code: `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (id.y * n.x + id.x) * ${LANES}u + lane;
  if (i >= params.k.rows * params.k.cols) { return; }
  let row = i / params.k.cols;
  let col = i % params.k.cols;
  let heads = params.k.cols / params.head_dim;
  let token = params.list[row];
  let block_head = token / ${KV_BLOCK_TOKENS}u * heads + col / params.head_dim;
  let at = (block_head * ${KV_BLOCK_TOKENS}u + token % ${KV_BLOCK_TOKENS}u) * params.head_dim + col % params.head_dim;
  keys[at] = arena[place(params.k, row, col)];
  if (params.has_values == 1u) { values[at] = arena[place(params.v, row, col)]; }
}`,
  }));
  context.emit({
    kernel,
    operands: [context.arena, layer.first, layer.second],
    words: [...tensorWords(k), ...tensorWords(v ?? k), headDim, v ? 1 : 0],
    list: tokenPlaces(context.batch),
    groups: foldGroups(Math.ceil((k.rows * k.cols) / LANES)),
  });
}
