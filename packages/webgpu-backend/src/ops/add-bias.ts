// A bias beside a matrix product: set before the sum (linearTransposed), or added behind it (linear).

import type { Tensor, WeightSlice } from '@airllm/backend';
import { foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';

const LANES = 64;

/** out [T, N] += bias [N], or out = bias, 0 where there is none. */
export function addBias(
  context: OpContext,
  { out, bias, replace }: { out: Tensor; bias: WeightSlice | undefined; replace: boolean },
): void {
  const kernel = kernelOf('add-bias', () => ({
    params: 'out: Tensor, bias: Vector, replace: u32',
    buffers: [ARENA, ...vectorBuffers('bias')],
    code: `${VECTOR}${vectorCode('bias')}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (id.y * n.x + id.x) * ${LANES}u + lane;
  if (i >= params.out.rows * params.out.cols) { return; }
  let col = i % params.out.cols;
  let at = place(params.out, i / params.out.cols, col);
  let value = bias_value(params.bias, 0u, col);
  if (params.replace == 1u) { arena[at] = value; } else { arena[at] += value; }
}`,
  }));
  context.emit({
    kernel,
    operands: [context.arena, ...vectorOperands(bias)],
    words: [...tensorWords(out), ...vectorWords(bias), replace ? 1 : 0],
    groups: foldGroups(Math.ceil((out.rows * out.cols) / LANES)),
  });
}
