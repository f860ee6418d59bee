// Formats whose values stand alone: f32, f16, bf16, and f8e4m3 with a grid of scales.

import { byteLengthOf, type BlockScales, type WeightSlice } from '@airllm/backend';
import type { WeightRange } from '../dispatch/dispatch.js';
import type { WeightFormat } from './weight-format.js';

const none = { fields: '', extras: 0, reads16: true, describe: () => ({ words: [], extras: [] }) } as const;

export const f32Format: WeightFormat = {
  ...none,
  code: `
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let at = 4u * (row * w.cols + col);
  return Octet(bitcast<vec4f>(weight_4(at)), bitcast<vec4f>(weight_4(at + 16u)));
}`,
};

export const f16Format: WeightFormat = {
  ...none,
  code: `
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let v = weight_4(2u * (row * w.cols + col));
  let low = v & vec4u(0xffffu);
  let high = v >> vec4u(16u);
  return Octet(f16_bits(vec4u(low.x, high.x, low.y, high.y)), f16_bits(vec4u(low.z, high.z, low.w, high.w)));
}`,
};

/** A bfloat16 is the upper half of a float32. */
export const bf16Format: WeightFormat = {
  ...none,
  code: `
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let v = weight_4(2u * (row * w.cols + col));
  let low = v << vec4u(16u);
  let high = v & vec4u(0xffff0000u);
  return Octet(bitcast<vec4f>(vec4u(low.x, high.x, low.y, high.y)), bitcast<vec4f>(vec4u(low.z, high.z, low.w, high.w)));
}`,
};

/** Values of four bytes of f8e4m3 (OCP OFP8): exponents move from bias 7 to 127, subnormals are multiples of 2⁻⁹. */
export const F8_VALUES = `
fn f8_values(b: vec4u) -> vec4f {
  let magnitude = b & vec4u(127u);
  let sign = (b & vec4u(128u)) << vec4u(24u);
  let normal = (magnitude << vec4u(20u)) + vec4u(0x3c000000u);
  let small = bitcast<vec4u>(vec4f(magnitude) * 0.001953125);
  let bits = select(normal, small, magnitude < vec4u(8u));
  return bitcast<vec4f>(sign | select(bits, vec4u(0x7fc00000u), magnitude == vec4u(127u)));
}`;

export const f8Format: WeightFormat = {
  fields: 'scale_bf16: u32, grid_cols: u32, block_rows: u32, block_cols: u32, first_row: u32',
  extras: 1,
  reads16: false,
  code: `
${F8_VALUES}
fn scale_at(w: Weight, i: u32) -> f32 {
  if (w.scale_bf16 == 1u) { return bitcast<f32>(extra0_half(2u * i) << 16u); }
  return extra0_f32(4u * i);
}
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let v = weight_2(row * w.cols + col);
  let start = (w.first_row + row) / w.block_rows * w.grid_cols;
  let block = col / w.block_cols;
  var a = vec4f(scale_at(w, start + block));
  var b = a;
  if ((col + 7u) / w.block_cols != block) {
    for (var i = 1u; i < 8u; i++) {
      let scale = scale_at(w, start + (col + i) / w.block_cols);
      if (i < 4u) { a[i] = scale; } else { b[i - 4u] = scale; }
    }
  }
  return Octet(f8_values(bytes_of(v.x)) * a, f8_values(bytes_of(v.y)) * b);
}`,
  describe: ({ scales, rows, cols }: WeightSlice) => {
    if (!scales) throw new TypeError('Expected scales of a weight that has been checked');
    return { words: scaleWords(scales), extras: [scaleRange(scales, rows, cols)] };
  },
};

/** For `scale_bf16`, `grid_cols`, `block_rows`, `block_cols`, `first_row`. */
export function scaleWords({ dtype, cols, blockRows, blockCols, firstRow }: BlockScales): number[] {
  return [dtype === 'bf16' ? 1 : 0, cols, blockRows, blockCols, firstRow].map(toWord);
}

/** The scales of `rows` × `cols` values; blocks past the largest word count are one block. */
export function scaleRange(scales: BlockScales, rows: number, cols: number): WeightRange {
  const { memory, byteOffset, dtype = 'f32', firstRow, blockRows, blockCols } = scales;
  const gridRows = Math.ceil((firstRow + rows) / blockRows);
  const elements = (gridRows - 1) * scales.cols + Math.ceil(cols / blockCols);
  return { memory, byteOffset, byteLength: byteLengthOf(dtype, elements) };
}

function toWord(value: number): number {
  return Math.min(value, 0xffffffff);
}
