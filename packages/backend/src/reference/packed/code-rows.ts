// 4-bit codes of bitsandbytes (Dettmers et al. 2023, arXiv 2305.14314): a code book of 16 values and a factor for each
// block, which may be quantized itself.

import type { CodePacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';
import { viewOf } from './view-of.js';

/** Returns a function to the values of one row, which the next call overwrites. */
export function codeRows(
  { memory, byteOffset, cols }: WeightSlice,
  packing: CodePacking,
): (row: number) => Float32Array {
  const codes = viewOf(packing.codes);
  const factorOf = factors(packing);
  const blocks = cols / packing.blockCols;
  const values = new Float32Array(cols);
  return (row) => {
    for (let c = 0; c < cols; c++) {
      const pair = memory.bytes[byteOffset + ((row * cols + c) >> 1)] ?? 0;
      const code = codes.getFloat32(4 * (c % 2 === 0 ? pair >> 4 : pair & 15), true);
      values[c] = code * factorOf(row * blocks + Math.floor(c / packing.blockCols));
    }
    return values;
  };
}

/** Returns a function to factor i of the slice. */
function factors({ absmax, nested }: CodePacking): (i: number) => number {
  const stored = viewOf(absmax);
  if (!nested) return (i) => stored.getFloat32(4 * i, true);
  const { blockLength, offset, first } = nested;
  const codes = viewOf(nested.codes);
  const outer = viewOf(nested.absmax);
  return (i) => {
    const factor = outer.getFloat32(4 * Math.floor((first + i) / blockLength), true);
    return Math.fround(Math.fround(codes.getFloat32(4 * stored.getUint8(i), true) * factor) + offset);
  };
}
