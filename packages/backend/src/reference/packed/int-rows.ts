// Symmetric integers of 8 and 4 bits with a scale for each group of columns.

import type { IntPacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';
import { viewOf } from './view-of.js';

/** Returns a function to the values of one row, which the next call overwrites. */
export function intRows(weight: WeightSlice, packing: IntPacking): (row: number) => Float32Array {
  const { cols } = weight;
  const { kind, groupCols } = packing;
  const bytes = viewOf(weight);
  const scales = viewOf(packing.scales);
  const groups = Math.ceil(cols / groupCols);
  const values = new Float32Array(cols);
  const nibble = (i: number): number => ((bytes.getUint8(i >> 1) >> (i % 2 === 0 ? 0 : 4)) & 15) - 8;
  const valueOf = kind === 'int4' ? nibble : (i: number) => bytes.getInt8(i);
  return (row) => {
    for (let c = 0; c < cols; c++) {
      const scale = scales.getFloat32(4 * (row * groups + Math.floor(c / groupCols)), true);
      values[c] = valueOf(row * cols + c) * scale;
    }
    return values;
  };
}
