// bf16z: bfloat16 with exponents in three bits, and escapes where those do not reach. Which escape a column takes depends
// on how many columns before it have one; `starts` holds that number for each 64 columns, counted by a kernel of its own
// before the op runs.

import type { LosslessPacking, WeightSlice } from '@airllm/backend';
import { foldGroups } from '../dispatch/dispatch.js';
import { kernelOf } from '../dispatch/kernel.js';
import type { OpContext } from '../dispatch/op-context.js';
import type { WeightFormat } from './weight-format.js';

/** Columns whose codes stand together. */
const GROUP = 64;

export const losslessFormat: WeightFormat = {
  fields: 'groups: u32, escape_bytes: u32',
  extras: 2,
  reads16: false,
  code: `
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let v = weight_2(row * w.cols + col);
  let group = row * w.groups + (col >> 6u);
  let at = 24u * group;
  let p0 = extra0_2(at);
  let p1 = extra0_2(at + 8u);
  let p2 = extra0_2(at + 16u);
  let bit = col & 63u;
  let escaped = p0 & p1 & p2;
  // Escapes among the columns of the group before this octet.
  let below = select((1u << (bit & 31u)) - 1u, 0xffffffffu, bit >= 32u);
  var next = starts[group] + countOneBits(escaped.x & below);
  if (bit >= 32u) { next += countOneBits(escaped.y & ((1u << (bit - 32u)) - 1u)); }
  let word = bit >> 5u;
  let shift = bit & 31u;
  let c0 = p0[word] >> shift;
  let c1 = p1[word] >> shift;
  let c2 = p2[word] >> shift;
  let base = extra1_byte(row * w.escape_bytes);
  var values: array<f32, 8>;
  for (var j = 0u; j < 8u; j++) {
    let code = ((c0 >> j) & 1u) | (((c1 >> j) & 1u) << 1u) | (((c2 >> j) & 1u) << 2u);
    var exponent = (base - code) & 255u;
    if (code == 7u) {
      exponent = 0u;
      if (next + 1u < w.escape_bytes) { exponent = extra1_byte(row * w.escape_bytes + next + 1u); }
      next++;
    }
    let stored = (v[j >> 2u] >> (8u * (j & 3u))) & 255u;
    values[j] = bitcast<f32>(((stored & 128u) << 24u) | (exponent << 23u) | ((stored & 127u) << 16u));
  }
  return Octet(vec4f(values[0], values[1], values[2], values[3]), vec4f(values[4], values[5], values[6], values[7]));
}`,
  describe: ({ packing, rows, cols }: WeightSlice) => {
    const { codes, escapes, escapeBytes } = packing as LosslessPacking;
    const groups = Math.ceil(cols / GROUP);
    return {
      words: [groups, escapeBytes],
      extras: [
        { ...codes, byteLength: 24 * rows * groups },
        { ...escapes, byteLength: rows * escapeBytes },
      ],
    };
  },
};

/** 32 lanes to a row. */
const LANES = 32;

/** Emits the kernel that counts; its result is valid until the next one's. */
export function countEscapes({ packing, rows, cols }: WeightSlice, context: OpContext): GPUBuffer {
  const { codes } = packing as LosslessPacking;
  const groups = Math.ceil(cols / GROUP);
  const starts = context.scratch(4 * rows * groups);
  const kernel = kernelOf('count-escapes', () => ({
    params: 'rows: u32, groups: u32',
    buffers: [
      { name: 'starts', access: 'read_write', type: 'words' },
      { name: 'codes', access: 'read', type: 'span' },
    ],
    // Each lane counts a run of groups; the runs before it are then added.
    code: `
var<workgroup> counts: array<u32, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = id.y * n.x + id.x;
  let run = (params.groups + ${LANES - 1}u) / ${LANES}u;
  let first = min(lane * run, params.groups);
  let end = min(first + run, params.groups);
  var count = 0u;
  if (row < params.rows) {
    for (var g = first; g < end; g++) {
      starts[row * params.groups + g] = count;
      let at = 24u * (row * params.groups + g);
      let escaped = codes_2(at) & codes_2(at + 8u) & codes_2(at + 16u);
      count += countOneBits(escaped.x) + countOneBits(escaped.y);
    }
  }
  counts[lane] = count;
  workgroupBarrier();
  if (row >= params.rows) { return; }
  var before = 0u;
  for (var i = 0u; i < lane; i++) { before += counts[i]; }
  for (var g = first; g < end; g++) { starts[row * params.groups + g] += before; }
}`,
  }));
  context.emit({
    kernel,
    operands: [starts, { ...codes, byteLength: 24 * rows * groups }],
    words: [rows, groups],
    groups: foldGroups(rows),
  });
  return starts;
}
