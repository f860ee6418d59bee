// Test weights in the bytes a checkpoint would have.

import { byteLengthOf, type ElementDType } from '../dtype.js';

/** Little-endian bytes of `values` in `dtype`; other formats than f32 drop the digits that do not fit. */
export function encodeWeights(dtype: ElementDType, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(byteLengthOf(dtype, values.length));
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    switch (dtype) {
      case 'f32':
        return view.setFloat32(4 * i, value, true);
      case 'bf16':
        return view.setUint16(2 * i, float32Bits(value) >>> 16, true);
      case 'f16':
        return view.setUint16(2 * i, float16Bits(value), true);
      case 'f8e4m3':
        return view.setUint8(i, float8Bits(value));
    }
  });
  return bytes;
}

const scratch = new DataView(new ArrayBuffer(4));

function float32Bits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** Finite values within ±65504. */
function float16Bits(value: number): number {
  const bits = float32Bits(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return sign | Math.floor(magnitude * 2 ** 24);
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

/** Finite values; those beyond ±448 become it. */
function float8Bits(value: number): number {
  const sign = value < 0 ? 0x80 : 0;
  const magnitude = value < 0 ? -value : value;
  if (magnitude >= 448) return sign | 0x7e;
  if (magnitude < 2 ** -6) return sign | Math.floor(magnitude * 2 ** 9);
  const bits = float32Bits(magnitude);
  const exponent = (bits >>> 23) - 127 + 7;
  return sign | (exponent << 3) | ((bits >>> 20) & 7);
}
