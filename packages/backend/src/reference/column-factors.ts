// A norm's weight or bias, one value for each column.

import type { WeightSlice } from '../weight.js';
import { weightRows } from './weight-rows.js';

/** [cols] of a vector of that length, or of a shorter one that every group of columns shares. */
export function columnFactors(weight: WeightSlice | undefined, cols: number): Float32Array | undefined {
  if (!weight) return undefined;
  const row = weightRows(weight)(0);
  return Float32Array.from({ length: cols }, (_, c) => row[c % row.length] ?? 0);
}
