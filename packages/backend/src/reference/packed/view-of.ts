// Reads numbers at any address of weight memory.

import type { WeightSpan } from '../../packing.js';

export function viewOf({ memory, byteOffset }: WeightSpan): DataView {
  const { buffer, byteOffset: start, byteLength } = memory.bytes;
  return new DataView(buffer, start + byteOffset, byteLength - byteOffset);
}
