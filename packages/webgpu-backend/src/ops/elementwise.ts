// Ops that compute every element of their output from elements at the same place: one kernel text, and an expression each.

import type { Activation, Tensor } from '@airllm/backend';
import { floatBits, foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { ACTIVATIONS } from './activations.js';

const LANES = 64;

interface Elementwise {
  /** The op, and what its text depends on. */
  readonly name: string;
  /** Named operands; the last is the output. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Named float32 numbers. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Named unsigned numbers. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly list?: ArrayLike<number>;
  /** WGSL of the value at (row, col). */
  readonly value: string;
}

/** Emits one kernel over all elements of the output. */
export function elementwise(context: OpContext, op: Elementwise): void {
  const { name, tensors, numbers = {}, counts = {}, list, value } = op;
  const output = Object.keys(tensors).at(-1) ?? '';
  const out = tensors[output];
  if (!out) throw new TypeError('Expected an output');
  const kernel = kernelOf(name, () => ({
    params: [
      ...Object.keys(tensors).map((tensor) => `${tensor}: Tensor`),
      ...Object.keys(numbers).map((number) => `${number}: f32`),
      ...Object.keys(counts).map((count) => `${count}: u32`),
    ].join(', '),
    buffers: [ARENA],
    code: `
${ACTIVATIONS}
fn at(tensor: Tensor, row: u32, col: u32) -> f32 { return arena[place(tensor, row, col)]; }
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (id.y * n.x + id.x) * ${LANES}u + lane;
  let cols = params.${output}.cols;
  if (i >= params.${output}.rows * cols) { return; }
  let row = i / cols;
  let col = i % cols;
  arena[place(params.${output}, row, col)] = ${value};
}`,
  }));
  context.emit({
    kernel,
    operands: [context.arena],
    words: [
      ...Object.values(tensors).flatMap(tensorWords),
      ...Object.values(numbers).map(floatBits),
      ...Object.values(counts),
    ],
    ...(list && { list }),
    groups: foldGroups(Math.ceil((out.rows * out.cols) / LANES)),
  });
}

const FUNCTIONS: Readonly<Record<Activation, string>> = {
  silu: 'silu',
  gelu: 'gelu',
  'gelu-tanh': 'gelu_tanh',
};

/** x [T, N]. */
export function fill(context: OpContext, { x, value }: CommandOf<'fill'>): void {
  elementwise(context, { name: 'fill', tensors: { x }, numbers: { value }, value: 'params.value' });
}

/** x, y [T, N]. */
export function accumulate(context: OpContext, { x, y }: CommandOf<'accumulate'>): void {
  const value = 'at(params.x, row, col) + at(params.y, row, col)';
  elementwise(context, { name: 'accumulate', tensors: { y, x }, value });
}

/** x [T, N]. */
export function scale(context: OpContext, { x, value }: CommandOf<'scale'>): void {
  elementwise(context, {
    name: 'scale',
    tensors: { x },
    numbers: { value },
    value: 'at(params.x, row, col) * params.value',
  });
}

/** x [T, N], scales [T, 1]. */
export function scaleRows(context: OpContext, { x, scales }: CommandOf<'scaleRows'>): void {
  const value = 'at(params.x, row, col) * at(params.scales, row, 0u)';
  elementwise(context, { name: 'scale-rows', tensors: { scales, x }, value });
}

/** x [T, N]. */
export function softcap(context: OpContext, { x, cap }: CommandOf<'softcap'>): void {
  elementwise(context, {
    name: 'softcap',
    tensors: { x },
    numbers: { cap },
    value: 'params.cap * safe_tanh(at(params.x, row, col) / params.cap)',
  });
}

/** x, out [T, N]. */
export function activate(context: OpContext, { x, activation, out }: CommandOf<'activate'>): void {
  const value = `${FUNCTIONS[activation]}(at(params.x, row, col))`;
  elementwise(context, { name: `activate-${activation}`, tensors: { x, out }, value });
}

/** gate, up, out [T, N]. */
export function glu(context: OpContext, { gate, up, activation, out }: CommandOf<'glu'>): void {
  const value = `${FUNCTIONS[activation]}(at(params.gate, row, col)) * at(params.up, row, col)`;
  elementwise(context, { name: `glu-${activation}`, tensors: { gate, up, out }, value });
}

/** x [T, 2N], columns 2n the gate and 2n + 1 the linear part; out [T, N]. */
export function clampedGlu(context: OpContext, { x, alpha, limit, out }: CommandOf<'clampedGlu'>): void {
  elementwise(context, {
    name: 'clamped-glu',
    tensors: { x, out },
    numbers: { alpha, limit },
    value:
      'clamped_glu(at(params.x, row, 2u * col), at(params.x, row, 2u * col + 1u), params.alpha, params.limit)',
  });
}

/** x, out [T, N], gate [T, N] or [T, 1]. */
export function sigmoidGate(context: OpContext, { x, gate, out }: CommandOf<'sigmoidGate'>): void {
  elementwise(context, {
    name: 'sigmoid-gate',
    tensors: { x, gate, out },
    value: 'at(params.x, row, col) * sigmoid(at(params.gate, row, select(col, 0u, params.gate.cols == 1u)))',
  });
}

/** x [T, groups · groupWidth], out [T, groups · count]. */
export function ungroup(context: OpContext, command: CommandOf<'ungroup'>): void {
  const { x, groupWidth, start, count, out } = command;
  elementwise(context, {
    name: 'ungroup',
    tensors: { x, out },
    counts: { width: groupWidth, start, count },
    value: 'at(params.x, row, col / params.count * params.width + params.start + col % params.count)',
  });
}

/** x [T, N], indices, scales [R], out [R, N]. */
export function gatherRows(context: OpContext, command: CommandOf<'gatherRows'>): void {
  const { x, indices, scales, out } = command;
  const value = 'at(params.x, params.list[row], col)';
  if (!scales)
    return elementwise(context, { name: 'gather-rows', tensors: { x, out }, list: indices, value });
  elementwise(context, {
    name: 'gather-scaled-rows',
    tensors: { x, out },
    list: [...indices, ...Array.from(scales, floatBits)],
    value: `bitcast<f32>(params.list[params.out.rows + row]) * ${value}`,
  });
}
