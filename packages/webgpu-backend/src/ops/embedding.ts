// out[i, :] = table[ids[i], :]: a thread for eight columns.

import { foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { rowBlocks, rowsOf, rowStep, type RowBlock } from '../formats/row-blocks.js';
import { weightOperand } from '../formats/weight-operand.js';
import { PinnedWeightMemory } from '../memory/weight-memory.js';

const LANES = 64;

/** table [V, D], ids [T], out [T, D]. */
export function embedding(context: OpContext, { table, ids, out }: CommandOf<'embedding'>): void {
  for (const { firstRow, slice } of blocksWith(table, ids, context.maxWeightBytes)) {
    // Pairs of a row of the block and a row of out.
    const pairs: number[] = [];
    ids.forEach((id, i) => {
      if (id >= firstRow && id < firstRow + slice.rows) pairs.push(id - firstRow, i);
    });
    if (pairs.length === 0) continue;
    const { variant, text, operands, words } = weightOperand(slice, context);
    const kernel = kernelOf(`embedding-${variant}`, () => ({
      params: 'weight: Weight, out: Tensor, count: u32',
      buffers: [ARENA, ...text.buffers],
      code: `${text.code}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (id.y * n.x + id.x) * ${LANES}u + lane;
  let octets = (params.weight.cols + 7u) / 8u;
  if (i >= params.count * octets) { return; }
  let pair = 2u * (i / octets);
  let col = i % octets * 8u;
  let values = octet(params.weight, params.list[pair], col);
  let start = place(params.out, params.list[pair + 1u], col);
  for (var c = 0u; c < min(8u, params.weight.cols - col); c++) {
    arena[start + c] = select(values.b[c & 3u], values.a[c & 3u], c < 4u);
  }
}`,
    }));
    context.emit({
      kernel,
      operands: [context.arena, ...operands],
      words: [...words, ...tensorWords(out), pairs.length / 2],
      list: pairs,
      groups: foldGroups(Math.ceil(((pairs.length / 2) * Math.ceil(out.cols / 8)) / LANES)),
    });
  }
}

/** Of a host table that is larger than what the ids name, only runs of rows around each are carried over. */
function blocksWith(table: CommandOf<'embedding'>['table'], ids: Uint32Array, maxBytes: number): RowBlock[] {
  const step = rowStep(table);
  const isPinned = table.memory instanceof PinnedWeightMemory;
  if (isPinned || table.rows <= ids.length * step) return rowBlocks(table, maxBytes);
  const starts = new Set(Array.from(ids, (id) => Math.floor(id / step) * step));
  return [...starts].map((firstRow) => ({
    firstRow,
    slice: rowsOf(table, firstRow, Math.min(step, table.rows - firstRow)),
  }));
}
