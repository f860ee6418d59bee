// GPTQ and AWQ: 4-bit integers, input-major, with a zero point and a scale for each group of rows.

import { byteLengthOf, type GroupPacking, type WeightSlice } from '@airllm/backend';
import type { WeightFormat } from './weight-format.js';

const SCALE_DTYPES = { f32: 0, f16: 1, bf16: 2 } as const;

function groupFormat(octet: string): WeightFormat {
  return {
    fields: 'scale_dtype: u32, group_rows: u32, groups: u32, indexed: u32',
    extras: 3,
    reads16: false,
    code: `
fn group_of(w: Weight, row: u32) -> u32 {
  if (w.indexed == 0u) { return row / w.group_rows; }
  return min(extra2_word(4u * row), w.groups - 1u);
}
fn scales_at(w: Weight, i: u32) -> vec4f {
  if (w.scale_dtype == 0u) {
    return bitcast<vec4f>(extra0_4(4u * i));
  }
  let v = extra0_2(2u * i);
  let halves = vec4u(v.x & 0xffffu, v.x >> 16u, v.y & 0xffffu, v.y >> 16u);
  if (w.scale_dtype == 1u) { return f16_bits(halves); }
  return bitcast<vec4f>(halves << vec4u(16u));
}
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let group = group_of(w, row);
  let at = group * w.cols + col;
  let stored = extra1_word(at >> 1u);
  ${octet}
  return Octet((low - low_zeros) * scales_at(w, at), (high - high_zeros) * scales_at(w, at + 4u));
}`,
    describe,
  };
}

/** int32 words [K / 8, N], nibble i is row 8j + i; a zero point is its nibble plus one, modulo 16. */
export const gptq4Format = groupFormat(`
  let words = 4u * ((row >> 3u) * w.cols + col);
  let shift = vec4u(4u * (row & 7u));
  let low = vec4f((weight_4(words) >> shift) & vec4u(15u));
  let high = vec4f((weight_4(words + 16u) >> shift) & vec4u(15u));
  let low_zeros = vec4f((nibbles_of(stored) + vec4u(1u)) & vec4u(15u));
  let high_zeros = vec4f((nibbles_of(stored >> 16u) + vec4u(1u)) & vec4u(15u));`);

/** int32 words [K, N / 8], nibble i is column 8j + (0, 2, 4, 6, 1, 3, 5, 7)[i]. */
export const awq4Format = groupFormat(`
  let v = weight_word((row * w.cols + col) >> 1u);
  let order = vec4u(0u, 16u, 4u, 20u);
  let low = vec4f((vec4u(v) >> order) & vec4u(15u));
  let high = vec4f((vec4u(v >> 8u) >> order) & vec4u(15u));
  let low_zeros = vec4f((vec4u(stored) >> order) & vec4u(15u));
  let high_zeros = vec4f((vec4u(stored >> 8u) >> order) & vec4u(15u));`);

function describe({ packing, rows, cols }: WeightSlice): ReturnType<WeightFormat['describe']> {
  const { scales, scaleDType, zeros, groupRows, rowGroups } = packing as GroupPacking;
  const groups = rowGroups?.count ?? Math.ceil(rows / groupRows);
  return {
    words: [SCALE_DTYPES[scaleDType], groupRows, groups, rowGroups ? 1 : 0],
    extras: [
      { ...scales, byteLength: byteLengthOf(scaleDType, groups * cols) },
      { ...zeros, byteLength: (groups * cols) / 2 },
      rowGroups && { ...rowGroups.indices, byteLength: 4 * rows },
    ],
  };
}
