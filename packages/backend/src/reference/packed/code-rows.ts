// Codes of bitsandbytes (Dettmers et al. 2022, arXiv 2110.02861; 2023, arXiv 2305.14314): a code book of 16 or 256 values and a
// factor for each block, which may be quantized itself.

import type { CodePacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';
import { viewOf } from './view-of.js';

/** Returns a function to the values of one row, which the next call overwrites. */
export function codeRows(weight: WeightSlice, packing: CodePacking): (row: number) => Float32Array {
  const { cols } = weight;
  const { kind, blockLength, first } = packing;
  const bytes = viewOf(weight);
  const codes = viewOf(packing.codes);
  const factorOf = factors(packing);
  const values = new Float32Array(cols);
  const nibble = (i: number): number => (bytes.getUint8(i >> 1) >> (i % 2 === 0 ? 4 : 0)) & 15;
  const codeOf = kind === 'code4' ? nibble : (i: number) => bytes.getUint8(i);
  return (row) => {
    for (let c = 0; c < cols; c++) {
      const i = row * cols + c;
      const code = codes.getFloat32(4 * codeOf(i), true);
      values[c] = code * factorOf(Math.floor((first + i) / blockLength));
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
