// out[indices[i], :] += scales[i] · x[i, :]: a thread for each element that changes, which adds its rows in their order.

import { floatBits, foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';

const LANES = 64;

/** x [R, N], indices, scales [R], out [T, N]. */
export function scatterAddRows(context: OpContext, command: CommandOf<'scatterAddRows'>): void {
  const { x, indices, scales, out } = command;
  const kernel = kernelOf('scatter-add-rows', () => ({
    // The list: for each row that changes its number and the end of its sources; then sources and their scales.
    params: 'x: Tensor, out: Tensor, changed: u32',
    buffers: [ARENA],
    code: `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (id.y * n.x + id.x) * ${LANES}u + lane;
  if (i >= params.changed * params.out.cols) { return; }
  let number = i / params.out.cols;
  let col = i % params.out.cols;
  var source = 0u;
  if (number > 0u) { source = params.list[2u * number - 1u]; }
  let target_place = place(params.out, params.list[2u * number], col);
  var sum = arena[target_place];
  for (; source < params.list[2u * number + 1u]; source++) {
    let entry = 2u * (params.changed + source);
    sum += bitcast<f32>(params.list[entry + 1u]) * arena[place(params.x, params.list[entry], col)];
  }
  arena[target_place] = sum;
}`,
  }));
  const sources = new Map<number, number[]>();
  indices.forEach((row, i) => {
    const list = sources.get(row);
    if (list) list.push(i);
    else sources.set(row, [i]);
  });
  let end = 0;
  const heads = [...sources].flatMap(([row, list]) => [row, (end += list.length)]);
  const entries = [...sources.values()].flat().flatMap((i) => [i, floatBits(scales[i] ?? 0)]);
  context.emit({
    kernel,
    operands: [context.arena],
    words: [...tensorWords(x), ...tensorWords(out), sources.size],
    list: [...heads, ...entries],
    groups: foldGroups(Math.ceil((sources.size * out.cols) / LANES)),
  });
}
