// Rotary position embedding in place: a thread for each pair.

import { foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';

const LANES = 64;

/** x [T, heads · headDim], cos, sin [T, rotaryDim / 2]. */
export function rope(context: OpContext, command: CommandOf<'rope'>): void {
  const { x, cos, sin, headDim, rotaryStart, rotaryDim, style } = command;
  const kernel = kernelOf('rope', () => ({
    params:
      'x: Tensor, cos: Tensor, sin: Tensor, head_dim: u32, rotary_start: u32, pairs: u32, interleaved: u32',
    buffers: [ARENA],
    code: `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = (id.y * n.x + id.x) * ${LANES}u + lane;
  let per_row = params.x.cols / params.head_dim * params.pairs;
  if (number >= params.x.rows * per_row) { return; }
  let row = number / per_row;
  let i = number % params.pairs;
  let start = number % per_row / params.pairs * params.head_dim + params.rotary_start;
  let first = place(params.x, row, start + select(i, 2u * i, params.interleaved == 1u));
  let second = first + select(params.pairs, 1u, params.interleaved == 1u);
  let a = arena[first];
  let b = arena[second];
  let c = arena[place(params.cos, row, i)];
  let s = arena[place(params.sin, row, i)];
  arena[first] = a * c - b * s;
  arena[second] = b * c + a * s;
}`,
  }));
  const pairs = rotaryDim / 2;
  context.emit({
    kernel,
    operands: [context.arena],
    words: [
      ...tensorWords(x),
      ...tensorWords(cos),
      ...tensorWords(sin),
      headDim,
      rotaryStart,
      pairs,
      style === 'interleaved' ? 1 : 0,
    ],
    groups: foldGroups(Math.ceil((x.rows * (x.cols / headDim) * pairs) / LANES)),
  });
}
