// float32 values as the little-endian bytes of a dtype, rounded to nearest, ties to even.

export const BYTES_PER_VALUE = { bf16: 2, f16: 2, f32: 4 };

/** Finite `values` times `scale`, as bytes. */
export function encodeFloats(values, dtype, scale = 1) {
  const scaled = values.map((value) => value * scale);
  if (dtype === 'f32') return new Uint8Array(scaled.buffer);
  const bits = new Uint32Array(scaled.buffer);
  const encode = dtype === 'bf16' ? bf16Bits : f16Bits;
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) halves[i] = encode(bits[i]);
  return new Uint8Array(halves.buffer);
}

function bf16Bits(bits) {
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** Below 2^-14 the result is subnormal: a multiple of 2^-24. Past 65504 it is infinite. */
function f16Bits(bits) {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return sign;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  return sign | ((significand + half - 1 + ((significand >>> shift) & 1)) >>> shift);
}
