// Multi-head latent attention, absorbed: queries go into the space of the cached latents, which are never expanded.
//
//   q [T, heads, nope + rope] ── · kvBₖ ──> [T, heads, rank + rope] ── attend to latents ──> [T, heads, rank] ── · kvBᵥ ──> out
//
// Both products are a thread for each output, over a row or a column of one head's part of kvB.

import { Tensor } from '@airllm/backend';
import { foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';
import { attend } from './attend.js';
import { appendRows, rowTables } from './cache-rows.js';
import { sequenceMemory } from './sequence-memory.js';

const LANES = 64;

/**
 * q [T, heads · (nopeDim + ropeDim)], latent [T, rank + ropeDim], out [T, heads · valueDim]. As many rows at a time as have
 * room between kernels: queries [T, heads · (rank + ropeDim)], then sums of latents [T, heads · rank].
 */
export function latentAttention(context: OpContext, command: CommandOf<'latentAttention'>): void {
  const { q, latent, heads, rank, ropeDim } = command;
  const { layer } = sequenceMemory(context, command.layer);
  appendRows(context, { k: latent, v: undefined, headDim: rank + ropeDim, layer });
  const rowBytes = 4 * heads * (2 * rank + ropeDim);
  const together = Math.max(1, Math.floor(context.scratchBytes / rowBytes));
  for (let first = 0; first < q.rows; first += together)
    attendRows(context, command, { first, count: Math.min(together, q.rows - first) });
}

function attendRows(
  context: OpContext,
  command: CommandOf<'latentAttention'>,
  rows: { first: number; count: number },
): void {
  const { kvB, heads, rank, nopeDim, ropeDim, valueDim, scale } = command;
  const { first, count } = rows;
  const { batch, layer } = sequenceMemory(context, command.layer);
  const [q, out] = [command.q.rowRange(first, count), command.out.rowRange(first, count)];
  const width = rank + ropeDim;
  const queryElements = count * heads * width;
  const storage = { elements: queryElements + count * heads * rank, offset: 0 };
  const scratch = context.scratch(4 * storage.elements);
  const queries = new Tensor(storage, count, heads * width, heads * width, 0);
  const latents = new Tensor(storage, count, heads * rank, heads * rank, queryElements);
  const sizes = [heads, rank, nopeDim, ropeDim, valueDim];
  context.emit({
    kernel: kernelOf('absorb-queries', () => projection(ABSORB)),
    operands: [context.arena, scratch, ...vectorOperands(kvB)],
    words: [...tensorWords(q), ...tensorWords(queries), ...vectorWords(kvB), ...sizes],
    groups: foldGroups(Math.ceil((count * queries.cols) / LANES)),
  });
  attend(context, {
    ...{ heads, scale, kvHeads: 1, headDim: width, valueDim: rank },
    io: scratch,
    q: queries,
    out: latents,
    keys: layer.first,
    values: undefined,
    tables: rowTables(batch, rows),
  });
  context.emit({
    kernel: kernelOf('expand-latents', () => projection(EXPAND)),
    operands: [context.arena, scratch, ...vectorOperands(kvB)],
    words: [...tensorWords(latents), ...tensorWords(out), ...vectorWords(kvB), ...sizes],
    groups: foldGroups(Math.ceil((count * out.cols) / LANES)),
  });
}

/** Column i of a head: the head's part of q times a column of kvBₖ, or the rotated part as it is. */
const ABSORB = `
  let width = params.rank + params.rope_dim;
  let head = col / width;
  let i = col % width;
  let start = place(params.x, row, head * (params.nope_dim + params.rope_dim));
  var sum = 0.0;
  if (i >= params.rank) {
    sum = arena[start + params.nope_dim + i - params.rank];
  } else {
    let first = head * (params.nope_dim + params.value_dim);
    for (var k = 0u; k < params.nope_dim; k++) { sum = fma(arena[start + k], weight_value(params.weight, first + k, i), sum); }
  }
  scratch[place(params.out, row, col)] = sum;`;

/** Column i of a head: a row of kvBᵥ times the head's sum of latents. */
const EXPAND = `
  let head = col / params.value_dim;
  let start = place(params.x, row, head * params.rank);
  let weight_row = head * (params.nope_dim + params.value_dim) + params.nope_dim + col % params.value_dim;
  var sum = 0.0;
  for (var k = 0u; k < params.rank; k++) { sum = fma(scratch[start + k], weight_value(params.weight, weight_row, k), sum); }
  arena[place(params.out, row, col)] = sum;`;

function projection(code: string): Parameters<typeof kernelOf>[1] extends () => infer T ? T : never {
  return {
    params:
      'x: Tensor, out: Tensor, weight: Vector, heads: u32, rank: u32, nope_dim: u32, rope_dim: u32, value_dim: u32',
    buffers: [ARENA, { name: 'scratch', access: 'read_write', type: 'floats' }, ...vectorBuffers('weight')],
    code: `${VECTOR}${vectorCode('weight')}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = (id.y * n.x + id.x) * ${LANES}u + lane;
  if (number >= params.out.rows * params.out.cols) { return; }
  let row = number / params.out.cols;
  let col = number % params.out.cols;
  ${code}
}`,
  };
}
