// rmsNorm and layerNorm: one workgroup for each group of columns of a row.

import type { WeightSlice } from '@airllm/backend';
import { floatBits, foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';

const LANES = 64;

/** Lane l sums columns l, l + 64, …; the lanes are then added by halves: one order, whatever the batch. */
const SUM_OF_LANES = `
var<workgroup> lanes: array<f32, ${LANES}>;
fn sum_of_lanes(value: f32, lane: u32) -> f32 {
  lanes[lane] = value;
  workgroupBarrier();
  for (var width = ${LANES / 2}u; width > 0u; width >>= 1u) {
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
    workgroupBarrier();
  }
  let sum = lanes[0];
  workgroupBarrier();
  return sum;
}`;

const MAIN = `
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let groups = params.x.cols / params.width;
  let number = id.y * n.x + id.x;
  // The whole workgroup: in place, the last group must not be taken twice.
  if (number >= params.x.rows * groups) { return; }
  let row = number / groups;
  let first = number % groups * params.width;
  let start = place(params.x, row, first);`;

interface Norm {
  readonly name: string;
  readonly command: CommandOf<'rmsNorm'> | CommandOf<'layerNorm'>;
  readonly vectors: Readonly<Record<string, WeightSlice | undefined>>;
  readonly extra: Readonly<Record<string, number>>;
  readonly code: string;
}

function norm(context: OpContext, { name, command, vectors, extra, code }: Norm): void {
  const { x, out, groupWidth, eps } = command;
  const names = Object.keys(vectors);
  const kernel = kernelOf(name, () => ({
    params: [
      'x: Tensor, out: Tensor, width: u32, eps: f32',
      ...names.map((vector) => `${vector}: Vector`),
      ...Object.keys(extra).map((number) => `${number}: f32`),
    ].join(', '),
    buffers: [ARENA, ...names.flatMap(vectorBuffers)],
    code: `${VECTOR}${names.map(vectorCode).join('')}${SUM_OF_LANES}${MAIN}${code}
}`,
  }));
  context.emit({
    kernel,
    operands: [context.arena, ...Object.values(vectors).flatMap(vectorOperands)],
    words: [
      ...tensorWords(x),
      ...tensorWords(out),
      groupWidth,
      floatBits(eps),
      ...Object.values(vectors).flatMap(vectorWords),
      ...Object.values(extra).map(floatBits),
    ],
    groups: foldGroups(x.rows * (x.cols / groupWidth)),
  });
}

/** x, out [T, groups · width], weight [width] or [cols]. */
export function rmsNorm(context: OpContext, command: CommandOf<'rmsNorm'>): void {
  norm(context, {
    name: 'rms-norm',
    command,
    vectors: { weight: command.weight },
    extra: { weight_offset: command.weightOffset },
    code: `
  var squares = 0.0;
  for (var c = lane; c < params.width; c += ${LANES}u) {
    let value = arena[start + c];
    squares = fma(value, value, squares);
  }
  let scale = 1.0 / sqrt(sum_of_lanes(squares, lane) / f32(params.width) + params.eps);
  for (var c = lane; c < params.width; c += ${LANES}u) {
    var factor = 1.0;
    if (params.weight.dtype != 0u) {
      factor = weight_value(params.weight, 0u, (first + c) % params.weight.cols) + params.weight_offset;
    }
    arena[place(params.out, row, first + c)] = arena[start + c] * scale * factor;
  }`,
  });
}

/** x, out [T, groups · width], weight, bias [width] or [cols]. The variance is that of differences from the mean. */
export function layerNorm(context: OpContext, command: CommandOf<'layerNorm'>): void {
  norm(context, {
    name: 'layer-norm',
    command,
    vectors: { weight: command.weight, bias: command.bias },
    extra: {},
    code: `
  var sum = 0.0;
  for (var c = lane; c < params.width; c += ${LANES}u) { sum += arena[start + c]; }
  let mean = sum_of_lanes(sum, lane) / f32(params.width);
  var squares = 0.0;
  for (var c = lane; c < params.width; c += ${LANES}u) {
    let difference = arena[start + c] - mean;
    squares = fma(difference, difference, squares);
  }
  let scale = 1.0 / sqrt(sum_of_lanes(squares, lane) / f32(params.width) + params.eps);
  for (var c = lane; c < params.width; c += ${LANES}u) {
    var value = (arena[start + c] - mean) * scale;
    if (params.weight.dtype != 0u) { value *= weight_value(params.weight, 0u, (first + c) % params.weight.cols); }
    if (params.bias.dtype != 0u) { value += bias_value(params.bias, 0u, (first + c) % params.bias.cols); }
    arena[place(params.out, row, first + c)] = value;
  }`,
  });
}
