// out[t, n] = bias[n] + Σₖ x[t, k] · weight[k, n], or on from what out holds: one chain over k for each output, in ascending
// order, so that blocks of k give the bits of the whole. A workgroup has 64 columns; its threads decode a tile of the
// weight together, then each goes down a column of it.

import { tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { rowBlocks } from '../formats/row-blocks.js';
import { weightOperand, type WeightText } from '../formats/weight-operand.js';
import { addBias } from './add-bias.js';

const COLUMNS = 64;
const THREADS = 128;
/** Rows of the weight in a tile. */
const TILE_K = 32;
/** Rows of x that a workgroup takes: each of the two halves of its threads has half of them. */
const MANY_ROWS = 16;

/** x [T, K], weight [K, N], bias [N], out [T, N]. */
export function linearTransposed(context: OpContext, command: CommandOf<'linearTransposed'>): void {
  const { x, weight, bias, accumulate, out } = command;
  if (!accumulate) addBias(context, { out, bias, replace: true });
  const rows = x.rows === 1 ? 1 : MANY_ROWS;
  for (const { firstRow, slice } of rowBlocks(weight, context.maxWeightBytes)) {
    const { variant, text, operands, words } = weightOperand(slice, context);
    const kernel = kernelOf(`linear-transposed-${variant}-${rows}`, () => ({
      params: 'weight: Weight, x: Tensor, out: Tensor',
      buffers: [ARENA, ...text.buffers],
      code: transposedCode(text, rows),
    }));
    context.emit({
      kernel,
      operands: [context.arena, ...operands],
      words: [...words, ...tensorWords(x.columns(firstRow, slice.rows)), ...tensorWords(out)],
      groups: [Math.ceil(out.cols / COLUMNS), Math.ceil(x.rows / rows)],
    });
  }
}

function transposedCode(text: WeightText, rows: number): string {
  // Of each thread.
  const share = rows === 1 ? 1 : rows / (THREADS / COLUMNS);
  const each = <T>(make: (i: number) => T): T[] => Array.from({ length: share }, (_, i) => make(i));
  return `${text.code}
var<workgroup> tile: array<f32, ${TILE_K * COLUMNS}>;
var<workgroup> x_tile: array<f32, ${TILE_K * rows}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first_col = id.x * ${COLUMNS}u;
  let col = first_col + thread % ${COLUMNS}u;
  let first_share = thread / ${COLUMNS}u * ${share}u;
  let first_row = id.y * ${rows}u;
  let depth = params.weight.rows;
  ${each((t) => `let row_${t} = first_row + first_share + ${t}u;\n  let live_${t} = first_share < ${rows}u && col < params.out.cols && row_${t} < params.out.rows;\n  var sum_${t} = 0.0;\n  if (live_${t}) { sum_${t} = arena[place(params.out, row_${t}, col)]; }`).join('\n  ')}
  for (var k0 = 0u; k0 < depth; k0 += ${TILE_K}u) {
    for (var i = thread; i < ${(TILE_K * COLUMNS) / 8}u; i += ${THREADS}u) {
      let k = i / ${COLUMNS / 8}u;
      let n = i % ${COLUMNS / 8}u * 8u;
      if (k0 + k < depth && first_col + n < params.weight.cols) {
        let values = octet(params.weight, k0 + k, first_col + n);
        let start = k * ${COLUMNS}u + n;
        ${Array.from({ length: 8 }, (_, c) => `tile[start + ${c}u] = values.${c < 4 ? 'a' : 'b'}.${'xyzw'[c % 4]};`).join('\n        ')}
      }
    }
    for (var i = thread; i < ${TILE_K * rows}u; i += ${THREADS}u) {
      let row = first_row + i / ${TILE_K}u;
      let k = k0 + i % ${TILE_K}u;
      if (row < params.x.rows && k < depth) { x_tile[i] = arena[place(params.x, row, k)]; }
    }
    workgroupBarrier();
    for (var k = 0u; k < min(${TILE_K}u, depth - k0); k++) {
      let w = tile[k * ${COLUMNS}u + thread % ${COLUMNS}u];
      ${each((t) => `sum_${t} = fma(x_tile[min(first_share + ${t}u, ${rows - 1}u) * ${TILE_K}u + k], w, sum_${t});`).join('\n      ')}
    }
    workgroupBarrier();
  }
  ${each((t) => `if (live_${t}) { arena[place(params.out, row_${t}, col)] = sum_${t}; }`).join('\n  ')}
}`;
}
