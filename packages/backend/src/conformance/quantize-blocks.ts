// Test weights in f8e4m3: bytes and one scale for each block.

import { encodeWeights } from './encode-weights.js';

/** Largest value of f8e4m3: 1.75 · 2⁸. */
const LARGEST = 448;

export interface QuantizedBlocks {
  readonly bytes: Uint8Array;
  /** [ceil(rows / blockRows), ceil(cols / blockCols)]. */
  readonly scales: Float32Array;
  /** Columns of `scales`. */
  readonly cols: number;
}

/** Divides each block by a scale that brings its largest value to 448. */
export function quantizeBlocks(
  values: Float32Array,
  cols: number,
  [blockRows, blockCols]: readonly [rows: number, cols: number],
): QuantizedBlocks {
  const rows = values.length / cols;
  const gridCols = Math.ceil(cols / blockCols);
  const gridRows = Math.ceil(rows / blockRows);
  const scales = new Float32Array(gridRows * gridCols);
  const scaled = new Float32Array(values.length);
  for (let block = 0; block < scales.length; block++) {
    const firstRow = Math.floor(block / gridCols) * blockRows;
    const firstCol = (block % gridCols) * blockCols;
    const endRow = Math.min(firstRow + blockRows, rows);
    const endCol = Math.min(firstCol + blockCols, cols);
    let largest = 0;
    for (let row = firstRow; row < endRow; row++) {
      for (const value of values.subarray(row * cols + firstCol, row * cols + endCol)) {
        if (value > largest) largest = value;
        else if (-value > largest) largest = -value;
      }
    }
    const scale = Math.fround(largest / LARGEST) || 1;
    scales[block] = scale;
    for (let row = firstRow; row < endRow; row++) {
      for (let i = row * cols + firstCol; i < row * cols + endCol; i++) scaled[i] = (values[i] ?? 0) / scale;
    }
  }
  return { bytes: encodeWeights('f8e4m3', scaled), scales, cols: gridCols };
}
