// Block formats of GGUF, as gguf-py's `quants` (llama.cpp) describes them: a block holds its scales and its values.
// Products of these scales and values are exact in float64.

import { blockElementsOf, byteLengthOf, type GgufDType } from '../../dtype.js';
import type { WeightSlice } from '../../weight.js';
import { float16Table } from '../float16.js';

/** Writes the values of the block that starts at byte `at` to `values` from `start` on. */
type BlockDecoder = (bytes: Uint8Array, at: number, values: Float32Array, start: number) => void;

const DECODERS: Readonly<Record<GgufDType, BlockDecoder>> = {
  q8_0: decodeQ8,
  q4_0: decodeQ4,
  q4_k: decodeQ4K,
  q6_k: decodeQ6K,
};

/** Returns a function to the values of one row, which the next call overwrites. */
export function ggufRows(
  { memory, byteOffset, cols }: WeightSlice,
  dtype: GgufDType,
): (row: number) => Float32Array {
  const blockElements = blockElementsOf(dtype);
  const blockBytes = byteLengthOf(dtype, blockElements);
  const rowBytes = byteLengthOf(dtype, cols);
  const decode = DECODERS[dtype];
  const values = new Float32Array(cols);
  return (row) => {
    let at = byteOffset + row * rowBytes;
    for (let start = 0; start < cols; start += blockElements) {
      decode(memory.bytes, at, values, start);
      at += blockBytes;
    }
    return values;
  };
}

function float16At(bytes: Uint8Array, at: number): number {
  return float16Table()[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;
}

function signed(byte: number | undefined): number {
  return ((byte ?? 0) << 24) >> 24;
}

/** d f16, 32 × int8: d · q. */
function decodeQ8(bytes: Uint8Array, at: number, values: Float32Array, start: number): void {
  const d = float16At(bytes, at);
  for (let i = 0; i < 32; i++) values[start + i] = d * signed(bytes[at + 2 + i]);
}

/** d f16, 16 bytes whose low nibbles are values 0 … 15 and whose high ones 16 … 31: d · (q − 8). */
function decodeQ4(bytes: Uint8Array, at: number, values: Float32Array, start: number): void {
  const d = float16At(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i] ?? 0;
    values[start + i] = d * ((pair & 15) - 8);
    values[start + 16 + i] = d * ((pair >> 4) - 8);
  }
}

/**
 * d, dmin f16, eight 6-bit scales and minima in 12 bytes, 128 bytes of nibbles: d · scale · q − dmin · min. Of each run of
 * 64 values, the first 32 are low nibbles and the others high ones.
 */
function decodeQ4K(bytes: Uint8Array, at: number, values: Float32Array, start: number): void {
  const d = float16At(bytes, at);
  const dmin = float16At(bytes, at + 2);
  const packed = (i: number): number => bytes[at + 4 + i] ?? 0;
  for (let run = 0; run < 8; run++) {
    const [scale, min] =
      run < 4
        ? [packed(run) & 63, packed(run + 4) & 63]
        : [
            (packed(run + 4) & 15) | ((packed(run - 4) >> 6) << 4),
            (packed(run + 4) >> 4) | ((packed(run) >> 6) << 4),
          ];
    const shift = run % 2 === 0 ? 0 : 4;
    const nibbles = at + 16 + 32 * (run >> 1);
    for (let i = 0; i < 32; i++) {
      const q = ((bytes[nibbles + i] ?? 0) >> shift) & 15;
      values[start + 32 * run + i] = d * scale * q - dmin * min;
    }
  }
}

/**
 * 128 bytes of low nibbles, 64 of high pairs of bits, 16 × int8 scales, d f16: d · scale[i / 16] · (q − 32). Each half of 128
 * values takes 64 and 32 bytes of them: value 32j + i has its nibble in byte 32(j mod 2) + i (high for j ≥ 2), its pair
 * at bit 2j of byte i.
 */
function decodeQ6K(bytes: Uint8Array, at: number, values: Float32Array, start: number): void {
  const d = float16At(bytes, at + 208);
  for (let index = 0; index < 256; index++) {
    const half = index >> 7;
    const j = (index >> 5) & 3;
    const i = index & 31;
    const low = ((bytes[at + 64 * half + 32 * (j & 1) + i] ?? 0) >> (j < 2 ? 0 : 4)) & 15;
    const high = ((bytes[at + 128 + 32 * half + i] ?? 0) >> (2 * j)) & 3;
    const scale = signed(bytes[at + 192 + (index >> 4)]);
    values[start + index] = d * scale * ((low | (high << 4)) - 32);
  }
}
