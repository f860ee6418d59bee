// 4-bit integers with a zero point and a scale for each group of rows: GPTQ and AWQ.

import { byteLengthOf } from '../../dtype.js';
import type { GroupPacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';
import { floatAt } from './float-at.js';
import { viewOf } from './view-of.js';

/** Nibble of a word that holds each of its eight columns in AWQ's order (0, 2, 4, 6, 1, 3, 5, 7). */
const AWQ_NIBBLE = [0, 4, 1, 5, 2, 6, 3, 7];

/** Returns a function to the values of one row (one k), which the next call overwrites. */
export function groupRows(weight: WeightSlice, packing: GroupPacking): (row: number) => Float32Array {
  const { cols } = weight;
  const { kind, scaleDType } = packing;
  const words = viewOf(weight);
  const scales = viewOf(packing.scales);
  const zeros = viewOf(packing.zeros);
  const values = new Float32Array(cols);
  const nibbleOf = (c: number): number => (kind === 'awq4' ? (AWQ_NIBBLE[c & 7] ?? 0) : c & 7);
  /** Column c of a row of words that hold eight columns each. */
  const acrossColumns = (view: DataView, row: number, c: number): number =>
    (view.getUint32(4 * (row * (cols / 8) + (c >> 3)), true) >>> (4 * nibbleOf(c))) & 15;
  const groupOf = rowGroupsOf(packing);
  return (row) => {
    const group = groupOf(row);
    for (let c = 0; c < cols; c++) {
      const stored = acrossColumns(zeros, group, c);
      const scale = floatAt(scales, byteLengthOf(scaleDType, group * cols + c), scaleDType);
      if (kind === 'awq4') {
        values[c] = (acrossColumns(words, row, c) - stored) * scale;
      } else {
        const word = words.getUint32(4 * ((row >> 3) * cols + c), true);
        values[c] = (((word >>> (4 * (row & 7))) & 15) - ((stored + 1) & 15)) * scale;
      }
    }
    return values;
  };
}

/** Returns a function to the group of a row. */
function rowGroupsOf({ rowGroups, groupRows: rows }: GroupPacking): (row: number) => number {
  if (!rowGroups) return (row) => Math.floor(row / rows);
  const indices = viewOf(rowGroups.indices);
  return (row) => indices.getInt32(4 * row, true);
}
