// MXFP4 (OCP Microscaling Formats 1.0, 2023): 4-bit floats, a power of two for each 32 of them.

import type { MxPacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';

const MAGNITUDES = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
const BLOCK = 32;

/** E8M0: 255 is no number. */
function scaleOf(byte: number): number {
  return byte === 255 ? NaN : 2 ** (byte - 127);
}

function valueOf(nibble: number): number {
  const magnitude = MAGNITUDES[nibble & 7] ?? 0;
  return nibble & 8 ? -magnitude : magnitude;
}

/** Returns a function to the values of one row, which the next call overwrites. */
export function mxRows(
  { memory, byteOffset, cols }: WeightSlice,
  { scales }: MxPacking,
): (row: number) => Float32Array {
  const values = new Float32Array(cols);
  return (row) => {
    for (let c = 0; c < cols; c++) {
      const index = row * cols + c;
      const pair = memory.bytes[byteOffset + (index >> 1)] ?? 0;
      const scale = scaleOf(scales.memory.bytes[scales.byteOffset + Math.floor(index / BLOCK)] ?? 0);
      values[c] = valueOf(c % 2 === 0 ? pair & 15 : pair >> 4) * scale;
    }
    return values;
  };
}
