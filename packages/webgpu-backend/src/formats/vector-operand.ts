// Small weights of any element dtype (norm weights, biases, sinks, convolution kernels): one text that looks at the dtype
// when it runs, so that ops need no kernel for each.

import { byteLengthOf, type ElementDType, type WeightSlice } from '@airllm/backend';
import type { Operand } from '../dispatch/dispatch.js';
import type { KernelBuffer } from '../dispatch/kernel.js';
import { F8_VALUES, scaleRange, scaleWords } from './element-formats.js';
import { OCTET } from './weight-format.js';

/** 0 stands for an absent weight. */
const CODES: Readonly<Record<ElementDType, number>> = { f32: 1, f16: 2, bf16: 3, f8e4m3: 4 };

/** Words of the WGSL struct `Vector`. */
export function vectorWords(weight: WeightSlice | undefined): number[] {
  if (!weight) return [0, 0, 0, 0, 0, 0, 0];
  const { dtype, cols, scales } = weight;
  return [CODES[dtype as ElementDType], cols, ...(scales ? scaleWords(scales) : [0, 0, 0, 0, 0])];
}

/** For the buffers of {@link vectorBuffers}. */
export function vectorOperands(weight: WeightSlice | undefined): (Operand | undefined)[] {
  if (!weight) return [undefined, undefined];
  const { memory, byteOffset, dtype, rows, cols, scales } = weight;
  const byteLength = byteLengthOf(dtype, rows * cols);
  return [{ memory, byteOffset, byteLength }, scales && scaleRange(scales, rows, cols)];
}

export function vectorBuffers(name: string): KernelBuffer[] {
  return [
    { name, access: 'read', type: 'span' },
    { name: `${name}_scales`, access: 'read', type: 'span' },
  ];
}

/** Of the structs and functions of {@link vectorCode}, once per kernel. */
export const VECTOR = `
struct Vector { dtype: u32, cols: u32, scale_bf16: u32, grid_cols: u32, block_rows: u32, block_cols: u32, first_row: u32 }
${OCTET}
${F8_VALUES}`;

/** `fn NAME_value(v: Vector, row: u32, col: u32) -> f32`. */
export function vectorCode(name: string): string {
  return `
fn ${name}_value(v: Vector, row: u32, col: u32) -> f32 {
  let i = row * v.cols + col;
  switch v.dtype {
    case 1u: { return ${name}_f32(4u * i); }
    case 2u: { return f16_value(${name}_half(2u * i)); }
    case 3u: { return bitcast<f32>(${name}_half(2u * i) << 16u); }
    case 4u: {
      let s = (v.first_row + row) / v.block_rows * v.grid_cols + col / v.block_cols;
      let value = f8_values(vec4u(${name}_byte(i))).x;
      if (v.scale_bf16 == 1u) { return value * bitcast<f32>(${name}_scales_half(2u * s) << 16u); }
      return value * ${name}_scales_f32(4u * s);
    }
    default: { return 0.0; }
  }
}`;
}
