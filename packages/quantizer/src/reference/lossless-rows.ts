// `lossless` in plain TypeScript: a bf16 is a byte of sign and mantissa, and an exponent that most often is one of
// seven in its row.

import { LOSSLESS_GROUP_BYTES, LOSSLESS_GROUP_COLS } from '../format.js';
import type { LosslessPlanes, Rows } from '../kernels.js';

/** The code of a column whose exponent is written out. */
const ESCAPE = 7;
const EXPONENTS = 256;
const EXPONENT_NON_FINITE = 255;

export function surveyRows(
  source: Uint8Array,
  { rows, cols }: Rows,
  bases: Uint8Array,
): { capacity: number; firstNonFinite: number } {
  let capacity = 0;
  let firstNonFinite = -1;
  for (let row = 0; row < rows; row++) {
    const counts = new Uint32Array(EXPONENTS);
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      const exponent = exponentAt(source, i);
      counts[exponent] = (counts[exponent] ?? 0) + 1;
      if (exponent === EXPONENT_NON_FINITE && firstNonFinite === -1) firstNonFinite = i;
    }
    const { base, escapes } = bestBase(counts, cols);
    bases[row] = base;
    capacity = Math.max(capacity, escapes);
  }
  return { capacity, firstNonFinite };
}

export function encodeRows(
  source: Uint8Array,
  { rows, cols }: Rows,
  bases: Uint8Array,
  to: LosslessPlanes,
): boolean {
  const escapeBytes = to.escapes.length / rows;
  const codeBytes = Math.ceil(cols / LOSSLESS_GROUP_COLS) * LOSSLESS_GROUP_BYTES;
  to.codes.fill(0);
  to.escapes.fill(0);
  for (let row = 0; row < rows; row++) {
    const base = bases[row] ?? 0;
    let next = row * escapeBytes;
    to.escapes[next++] = base;
    for (let col = 0; col < cols; col++) {
      const i = row * cols + col;
      to.bytes[i] = ((source[2 * i + 1] ?? 0) & 0x80) | ((source[2 * i] ?? 0) & 0x7f);
      const exponent = exponentAt(source, i);
      const code = exponent <= base && exponent > base - ESCAPE ? base - exponent : ESCAPE;
      writeCode(to.codes, row * codeBytes, col, code);
      if (code !== ESCAPE) continue;
      if (next === (row + 1) * escapeBytes) return false;
      to.escapes[next++] = exponent;
    }
  }
  return true;
}

export function decodeRows(from: LosslessPlanes, { rows, cols }: Rows, to: Uint8Array): boolean {
  const escapeBytes = from.escapes.length / rows;
  const codeBytes = Math.ceil(cols / LOSSLESS_GROUP_COLS) * LOSSLESS_GROUP_BYTES;
  for (let row = 0; row < rows; row++) {
    let next = row * escapeBytes;
    const base = from.escapes[next++] ?? 0;
    for (let col = 0; col < cols; col++) {
      const code = readCode(from.codes, row * codeBytes, col);
      if (code === ESCAPE && next === (row + 1) * escapeBytes) return false;
      const exponent = (code === ESCAPE ? (from.escapes[next++] ?? 0) : base - code) & 0xff;
      const i = row * cols + col;
      const byte = from.bytes[i] ?? 0;
      to[2 * i] = ((exponent & 1) << 7) | (byte & 0x7f);
      to[2 * i + 1] = (byte & 0x80) | (exponent >> 1);
    }
  }
  return true;
}

function exponentAt(source: Uint8Array, i: number): number {
  return (((source[2 * i + 1] ?? 0) & 0x7f) << 1) | ((source[2 * i] ?? 0) >> 7);
}

/** The window of seven exponents, base the largest, that holds the most columns. */
function bestBase(counts: Uint32Array, cols: number): { base: number; escapes: number } {
  let base = 0;
  let most = -1;
  let held = 0;
  for (let exponent = 0; exponent < EXPONENTS; exponent++) {
    held += (counts[exponent] ?? 0) - (exponent >= ESCAPE ? (counts[exponent - ESCAPE] ?? 0) : 0);
    if (held >= most) [most, base] = [held, exponent];
  }
  return { base, escapes: cols - most };
}

// Bit b of the code of column 64 g + j is bit j of the b-th of the eight-byte planes of group g.
function writeCode(codes: Uint8Array, rowStart: number, col: number, code: number): void {
  for (let bit = 0; bit < 3; bit++) {
    const at = byteOfBit(rowStart, col, bit);
    codes[at] = (codes[at] ?? 0) | (((code >> bit) & 1) << (col & 7));
  }
}

function readCode(codes: Uint8Array, rowStart: number, col: number): number {
  let code = 0;
  for (let bit = 0; bit < 3; bit++) {
    code |= (((codes[byteOfBit(rowStart, col, bit)] ?? 0) >> (col & 7)) & 1) << bit;
  }
  return code;
}

function byteOfBit(rowStart: number, col: number, bit: number): number {
  const group = Math.floor(col / LOSSLESS_GROUP_COLS);
  return rowStart + group * LOSSLESS_GROUP_BYTES + 8 * bit + ((col % LOSSLESS_GROUP_COLS) >> 3);
}
