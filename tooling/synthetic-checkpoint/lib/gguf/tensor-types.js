// How bf16 rows become the rows of a GGUF tensor type. Source of the block format: ggml-org/ggml, ggml-common.h.

import { encodeFloats } from '../encode-floats.js';

const Q8_BLOCK = 32;
const Q8_BLOCK_BYTES = 2 + Q8_BLOCK;

/** By name: the id in the file, bytes of a row, and the conversion of bf16 bytes (whole rows) to the type. */
export const TENSOR_TYPES = {
  f32: { id: 0, rowBytes: (columns) => columns * 4, encode: (bf16) => new Uint8Array(widen(bf16).buffer) },
  bf16: { id: 30, rowBytes: (columns) => columns * 2, encode: (bf16) => bf16 },
  q8_0: { id: 8, rowBytes: (columns) => (columns / Q8_BLOCK) * Q8_BLOCK_BYTES, encode: encodeQ8 },
};

/**
 * Blocks of 32 values: an f16 scale d = max|x| / 127, then x / d rounded to int8. Rows must be whole blocks.
 */
function encodeQ8(bf16) {
  const values = widen(bf16);
  const blocks = values.length / Q8_BLOCK;
  const out = new Uint8Array(blocks * Q8_BLOCK_BYTES);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const start = block * Q8_BLOCK;
    let largest = 0;
    for (let i = start; i < start + Q8_BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]));
    const scale = Math.fround(largest / 127);
    scales[block] = scale;
    const inverse = scale > 0 ? Math.fround(1 / scale) : 0;
    const to = block * Q8_BLOCK_BYTES + 2;
    for (let i = 0; i < Q8_BLOCK; i++) {
      const scaled = Math.fround(values[start + i] * inverse);
      // Half away from zero, as C's roundf; negative values wrap into the byte.
      out[to + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5);
    }
  }
  const halves = encodeFloats(scales, 'f16');
  for (let block = 0; block < blocks; block++)
    out.set(halves.subarray(block * 2, block * 2 + 2), block * Q8_BLOCK_BYTES);
  return out;
}

/** bf16 is the upper half of a float32. */
function widen(bf16) {
  const halves = new Uint16Array(bf16.buffer, bf16.byteOffset, bf16.byteLength / 2);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}
