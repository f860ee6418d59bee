// Values of a vector of any dtype, for the host: routing biases are applied there.

import type { WeightSlice } from '@airllm/backend';

/** @throws RangeError for dtypes that vectors do not come in */
export function decodeVector({ memory, byteOffset, dtype, cols }: WeightSlice): Float32Array {
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset + byteOffset);
  const values = new Float32Array(cols);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < cols; i++) {
    switch (dtype) {
      case 'f32':
        values[i] = view.getFloat32(i * 4, true);
        break;
      case 'bf16':
        bits[i] = view.getUint16(i * 2, true) << 16;
        break;
      case 'f16':
        values[i] = decodeHalf(view.getUint16(i * 2, true));
        break;
      default:
        throw new RangeError(`Expected a vector in f32, f16 or bf16 but received ${dtype}`);
    }
  }
  return values;
}

/** IEEE 754 binary16. */
function decodeHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
