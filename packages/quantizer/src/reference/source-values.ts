// Elements of a source tensor as numbers.

import { bytesPerElement, type SourceDType } from '../format.js';

/** float32 values of little-endian elements at any alignment; exact for all three dtypes. */
export function sourceValues(bytes: Uint8Array, dtype: SourceDType): Float32Array {
  const count = bytes.length / bytesPerElement(dtype);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(count);
  switch (dtype) {
    case 'F32':
      for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true);
      return values;
    case 'F16':
      for (let i = 0; i < count; i++) values[i] = widenF16(view.getUint16(2 * i, true));
      return values;
    case 'BF16': {
      const bits = new Uint32Array(values.buffer);
      for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return values;
    }
  }
}

/** IEEE binary16. */
function widenF16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
