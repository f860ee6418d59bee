// Symmetric integers of 8 and 4 bits with a scale for each group of a row's columns, and mxfp4.

import type { IntPacking, MxPacking, WeightSlice } from '@airllm/backend';
import type { WeightFormat } from './weight-format.js';

function intFormat(octet: string): WeightFormat {
  return {
    fields: 'group_cols: u32, groups: u32',
    extras: 1,
    reads16: false,
    code: `
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  ${octet}
  let start = row * w.groups;
  let group = col / w.group_cols;
  var a = vec4f(extra0_f32(4u * (start + group)));
  var b = a;
  if ((col + 7u) / w.group_cols != group) {
    for (var j = 1u; j < 8u; j++) {
      let scale = extra0_f32(4u * (start + (col + j) / w.group_cols));
      if (j < 4u) { a[j] = scale; } else { b[j - 4u] = scale; }
    }
  }
  return Octet(low * a, high * b);
}`,
    describe: ({ packing, rows, cols }: WeightSlice) => {
      const { scales, groupCols } = packing as IntPacking;
      const groups = Math.ceil(cols / groupCols);
      return { words: [groupCols, groups], extras: [{ ...scales, byteLength: 4 * rows * groups }] };
    },
  };
}

export const int8Format = intFormat(`
  let v = weight_2(row * w.cols + col);
  let low = signed_bytes(v.x);
  let high = signed_bytes(v.y);`);

/** The low nibble comes first; a row has whole bytes. */
export const int4Format = intFormat(`
  let v = weight_word((row * w.cols + col) >> 1u);
  let low = vec4f(nibbles_of(v)) - vec4f(8.0);
  let high = vec4f(nibbles_of(v >> 16u)) - vec4f(8.0);`);

/** Magnitudes of e2m1: 0, 0.5, 1, 1.5, 2, 3, 4, 6; 2^(s − 127) for each 32 columns, s = 255 being no number. */
export const mxfp4Format: WeightFormat = {
  fields: '',
  extras: 1,
  reads16: false,
  code: `
fn e2m1(q: vec4u) -> vec4f {
  let m = q & vec4u(7u);
  let normal = vec4f((vec4u(2u) | (m & vec4u(1u))) << (m >> vec4u(1u))) * 0.25;
  let magnitude = select(normal, vec4f(m) * 0.5, m < vec4u(2u));
  return select(magnitude, -magnitude, q > vec4u(7u));
}
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let i = row * w.cols + col;
  let v = weight_word(i >> 1u);
  let s = extra0_byte(i >> 5u);
  let scale = bitcast<f32>(select(select(s << 23u, 0x00400000u, s == 0u), 0x7fc00000u, s == 255u));
  return Octet(e2m1(nibbles_of(v)) * scale, e2m1(nibbles_of(v >> 16u)) * scale);
}`,
  describe: ({ packing, rows, cols }: WeightSlice) => ({
    words: [],
    extras: [{ ...(packing as MxPacking).scales, byteLength: (rows * cols) / 32 }],
  }),
};
