// Test weights in f8e4m3: bytes and one scale for each block.

import { encodeWeights } from './encode-weights.js';

/** Largest value of f8e4m3: 1.75 · 2⁸. */
const LARGEST = 448;

export interface QuantizedBlocks {
  readonly bytes: Uint8Array;
  /** [ceil(rows / blockRows), ceil(cols / blockCols)]. */
  readonly scales: Float32Array;
  readonly cols: number;
}

/** Divides each block by a scale that brings its largest value to 448. */
export function quantizeBlocks(
  values: Float32Array,
  cols: number,
  [blockRows, blockCols]: readonly [rows: number, cols: number],
): QuantizedBlocks {
  const gridCols = Math.ceil(cols / blockCols);
  const blockOf = (i: number): number =>
    Math.floor(Math.floor(i / cols) / blockRows) * gridCols + Math.floor((i % cols) / blockCols);
  const scales = new Float32Array(gridCols * Math.ceil(values.length / cols / blockRows));
  values.forEach((value, i) => {
    scales[blockOf(i)] = Math.max(scales[blockOf(i)] ?? 0, Math.abs(value) / LARGEST);
  });
  const scaled = values.map((value, i) => value / (scales[blockOf(i)] || 1));
  return { bytes: encodeWeights('f8e4m3', scaled), scales, cols: gridCols };
}
