// Causal depthwise convolution over time, then SiLU: a thread for each channel of a sequence goes down its rows.

import { tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';
import { ACTIVATIONS } from './activations.js';
import { sequenceMemory } from './sequence-memory.js';
import { sequenceList } from './sequence-list.js';

const LANES = 64;

/** x, out [T, channels], weight [channels, width], bias [channels]. */
export function shortConv(context: OpContext, command: CommandOf<'shortConv'>): void {
  const { x, weight, bias, out } = command;
  const { batch, layer } = sequenceMemory(context, command.layer);
  const kernel = kernelOf('short-conv', () => ({
    params: 'x: Tensor, out: Tensor, weight: Vector, bias: Vector, width: u32',
    buffers: [
      ARENA,
      { name: 'inputs', access: 'read_write', type: 'floats' },
      ...vectorBuffers('weight'),
      ...vectorBuffers('bias'),
    ],
    code: `${VECTOR}${vectorCode('weight')}${vectorCode('bias')}${ACTIVATIONS}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = id.x * ${LANES}u + lane;
  if (channel >= params.x.cols) { return; }
  let row_start = params.list[4u * id.y];
  let row_count = params.list[4u * id.y + 1u];
  let fresh = params.list[4u * id.y + 2u] == 0u;
  let kept = params.width - 1u;
  let state = params.list[4u * id.y + 3u] * kept * params.x.cols + channel;
  for (var t = 0u; t < row_count; t++) {
    var sum = bias_value(params.bias, 0u, channel);
    for (var i = 0u; i < params.width; i++) {
      // Row t + i of what was kept, then of this pass.
      var value = 0.0;
      if (t + i >= kept) { value = arena[place(params.x, row_start + t + i - kept, channel)]; }
      else if (!fresh) { value = inputs[state + (t + i) * params.x.cols]; }
      sum = fma(weight_value(params.weight, channel, i), value, sum);
    }
    arena[place(params.out, row_start + t, channel)] = silu(sum);
  }
  for (var i = 0u; i < kept; i++) {
    let source = row_count + i;
    var value = 0.0;
    if (source >= kept) { value = arena[place(params.x, row_start + source - kept, channel)]; }
    else if (!fresh) { value = inputs[state + source * params.x.cols]; }
    inputs[state + i * params.x.cols] = value;
  }
}`,
  }));
  context.emit({
    kernel,
    operands: [context.arena, layer.first, ...vectorOperands(weight), ...vectorOperands(bias)],
    words: [
      ...tensorWords(x),
      ...tensorWords(out),
      ...vectorWords(weight),
      ...vectorWords(bias),
      weight.cols,
    ],
    list: sequenceList(batch),
    groups: [Math.ceil(x.cols / LANES), batch.sequences.length],
  });
}
