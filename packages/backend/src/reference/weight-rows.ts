// Reads weights where they lie, row by row: any byte offset, every dtype. Nothing is cached, because the
// memory behind a slice is reused for other weights between submissions.

import { byteLengthOf, isPacked } from '../dtype.js';
import { BackendError } from '../errors.js';
import type { WeightSlice } from '../weight.js';
import { float16Table } from './float16.js';
import { float8Table } from './float8.js';
import { floatAt } from './packed/float-at.js';
import { packedRows } from './packed/packed-rows.js';
import { viewOf } from './packed/view-of.js';

/**
 * Returns a function that decodes one row. The row is copied first, since a slice promises no alignment;
 * the array returned is overwritten by the next call. float32 holds every value of every dtype exactly; a
 * value that is a product or sum of stored ones is rounded to float32 once.
 */
export function weightRows(weight: WeightSlice): (row: number) => Float32Array {
  const { memory, byteOffset, dtype, cols } = weight;
  if (isPacked(dtype)) return packedRows(weight, dtype);
  const rowBytes = byteLengthOf(dtype, cols);
  const copy = new Uint8Array(rowBytes);
  const copyRow = (row: number): void => {
    const start = byteOffset + row * rowBytes;
    copy.set(memory.bytes.subarray(start, start + rowBytes));
  };
  switch (dtype) {
    case 'f32': {
      const values = new Float32Array(copy.buffer);
      return (row) => {
        copyRow(row);
        return values;
      };
    }
    case 'bf16': {
      // A bfloat16 is the upper half of a float32.
      const halves = new Uint16Array(copy.buffer);
      const values = new Float32Array(cols);
      const bits = new Uint32Array(values.buffer);
      return (row) => {
        copyRow(row);
        for (let i = 0; i < cols; i++) bits[i] = (halves[i] ?? 0) << 16;
        return values;
      };
    }
    case 'f16': {
      const halves = new Uint16Array(copy.buffer);
      const values = new Float32Array(cols);
      const decoded = float16Table();
      return (row) => {
        copyRow(row);
        for (let i = 0; i < cols; i++) values[i] = decoded[halves[i] ?? 0] ?? 0;
        return values;
      };
    }
    case 'f8e4m3': {
      const values = new Float32Array(cols);
      const decoded = float8Table();
      const scales = blockScales(weight);
      return (row) => {
        copyRow(row);
        const scaleOf = scales(row);
        for (let c = 0; c < cols; c++) values[c] = (decoded[copy[c] ?? 0] ?? 0) * (scaleOf[c] ?? 0);
        return values;
      };
    }
  }
}

/** Returns a function to the factors of one row's columns. */
function blockScales({ scales, cols }: WeightSlice): (row: number) => Float32Array {
  if (!scales) throw new BackendError('INVALID_OPERAND', 'Expected scales for a weight in f8e4m3');
  const { dtype = 'f32', blockRows, blockCols, firstRow } = scales;
  const view = viewOf(scales);
  const factors = new Float32Array(cols);
  return (row) => {
    const gridStart = Math.floor((firstRow + row) / blockRows) * scales.cols;
    for (let c = 0; c < cols; c += blockCols) {
      const index = gridStart + c / blockCols;
      const scale = floatAt(view, byteLengthOf(dtype, index), dtype);
      factors.fill(scale, c, c + blockCols);
    }
    return factors;
  };
}
