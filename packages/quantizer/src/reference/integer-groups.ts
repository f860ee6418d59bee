// `int8` and `int4` in plain TypeScript.

import { GROUP_COLS } from '../format.js';
import type { EncodeResult, IntegerFormat, Rows } from '../kernels.js';
import { absoluteMaximum } from './code-blocks.js';
import { SumsOfBlocks } from './sums-of-blocks.js';

export function encodeIntegerGroups(
  format: IntegerFormat,
  values: Float32Array,
  { rows, cols }: Rows,
  to: { codes: Uint8Array; scales: Float32Array },
): EncodeResult {
  const groups = Math.ceil(cols / GROUP_COLS);
  const sums = new SumsOfBlocks();
  if (format === 'int4') to.codes.fill(0);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < groups; group++) {
      const first = row * cols + group * GROUP_COLS;
      const count = Math.min(GROUP_COLS, cols - group * GROUP_COLS);
      let scale = scaleOf(format, values, first, count);
      if (!Number.isFinite(scale)) {
        sums.nonFiniteBlock(values, first, count);
        scale = NaN;
      }
      to.scales[row * groups + group] = scale;
      if (!Number.isNaN(scale)) sums.startBlock(scale);
      for (let i = first; i < first + count; i++) {
        const code = Number.isNaN(scale) ? 0 : encodeValue(format, values[i] ?? 0, scale, sums);
        writeCode(format, to.codes, i, code);
      }
    }
  }
  return sums.result();
}

export function decodeIntegerGroups(
  format: IntegerFormat,
  from: { codes: Uint8Array; scales: Float32Array },
  { rows, cols }: Rows,
  to: Float32Array,
): void {
  const groups = Math.ceil(cols / GROUP_COLS);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const i = row * cols + col;
      const code =
        format === 'int8'
          ? ((from.codes[i] ?? 0) << 24) >> 24
          : (((from.codes[i >> 1] ?? 0) >> (i % 2 === 0 ? 0 : 4)) & 15) - 8;
      to[i] = code * (from.scales[row * groups + Math.floor(col / GROUP_COLS)] ?? 0);
    }
  }
}

/**
 * `int8`: the largest magnitude becomes 127. `int4`: the value of the largest magnitude, the positive one of two,
 * becomes −8, so all sixteen codes are used and the scale may be negative (as Q4_0 of GGUF). NaN or Inf as they are.
 */
function scaleOf(format: IntegerFormat, values: Float32Array, first: number, count: number): number {
  const absmax = absoluteMaximum(values, first, count);
  if (format === 'int8' || !Number.isFinite(absmax)) return Math.fround(absmax / 127);
  const positive = values.subarray(first, first + count).includes(absmax);
  return Math.fround((positive ? absmax : -absmax) / -8);
}

/** The nearest multiple, ties to even. A group whose scale is below float32 is zero. */
function encodeValue(format: IntegerFormat, value: number, scale: number, sums: SumsOfBlocks): number {
  if (scale === 0) return 0;
  const [least, most] = format === 'int8' ? [-127, 127] : [-8, 7];
  const scaled = Math.fround(value / scale);
  const code = Math.min(Math.max(roundToEven(scaled), least), most);
  sums.add(scaled, code);
  return code;
}

function writeCode(format: IntegerFormat, codes: Uint8Array, i: number, code: number): void {
  if (format === 'int8') codes[i] = code;
  else codes[i >> 1] = (codes[i >> 1] ?? 0) | ((code + 8) << (i % 2 === 0 ? 0 : 4));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  if (above !== 0.5) return above < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
