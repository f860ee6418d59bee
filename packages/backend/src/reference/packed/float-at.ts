// Reads one factor in the format it is stored in.

import { float16ToNumber } from '../float16.js';

const bits = new DataView(new ArrayBuffer(4));

export function floatAt(view: DataView, at: number, dtype: 'f32' | 'f16' | 'bf16'): number {
  switch (dtype) {
    case 'f32':
      return view.getFloat32(at, true);
    case 'f16':
      return float16ToNumber(view.getUint16(at, true));
    case 'bf16':
      // A bfloat16 is the upper half of a float32.
      bits.setUint32(0, view.getUint16(at, true) << 16);
      return bits.getFloat32(0);
  }
}
