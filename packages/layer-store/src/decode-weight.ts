// Values of packed weights for ops that take none: vectors once, whole matrices whenever they are read. The reference
// backend says what the values are.

import { setImmediate } from 'node:timers/promises';
import type { WeightSlice, WeightSpan } from '@airllm/backend';
import { weightRows } from '@airllm/backend/reference';

/** Values decoded before the JavaScript thread is let go: some milliseconds. */
const VALUES_AT_ONCE = 2 ** 17;

/**
 * Writes the values of `stored` [rows, cols] as float32, little-endian, row after row; of an input-major weight column after
 * column, which are the rows that ops see.
 */
export async function decodeWeight(
  stored: WeightSlice,
  { memory, byteOffset }: WeightSpan,
  { inputMajor }: { inputMajor: boolean },
): Promise<void> {
  const { rows, cols } = stored;
  const valuesOf = weightRows(stored);
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset + byteOffset, rows * cols * 4);
  let sinceRest = 0;
  for (let row = 0; row < rows; row++) {
    const values = valuesOf(row);
    for (let col = 0; col < cols; col++) {
      const index = inputMajor ? col * rows + row : row * cols + col;
      view.setFloat32(4 * index, values[col] ?? 0, true);
    }
    sinceRest += cols;
    if (sinceRest < VALUES_AT_ONCE) continue;
    sinceRest = 0;
    await setImmediate();
  }
}
