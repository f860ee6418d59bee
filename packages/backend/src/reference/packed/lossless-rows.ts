// bfloat16 with exponents in three bits, and escapes where those do not reach.

import type { LosslessPacking } from '../../packing.js';
import type { WeightSlice } from '../../weight.js';
import { viewOf } from './view-of.js';

/** Columns whose codes stand together, and bytes of each of their three bit planes. */
const GROUP = 64;
const PLANE = GROUP / 8;
/** The code of a column whose exponent is an escape. */
const ESCAPE = 7;

/** Returns a function to the values of one row, which the next call overwrites. */
export function losslessRows(weight: WeightSlice, packing: LosslessPacking): (row: number) => Float32Array {
  const { cols } = weight;
  const { escapeBytes } = packing;
  const bytes = viewOf(weight);
  const planes = viewOf(packing.codes);
  const escapes = viewOf(packing.escapes);
  const rowCodes = 3 * PLANE * Math.ceil(cols / GROUP);
  const values = new Float32Array(cols);
  const bits = new Uint32Array(values.buffer);
  const codeOf = (row: number, c: number): number => {
    const at = row * rowCodes + Math.floor(c / GROUP) * 3 * PLANE + ((c % GROUP) >> 3);
    const bit = (plane: number): number => ((planes.getUint8(at + plane * PLANE) >> (c & 7)) & 1) << plane;
    return bit(0) | bit(1) | bit(2);
  };
  return (row) => {
    const start = row * escapeBytes;
    const base = escapes.getUint8(start);
    let next = 1;
    for (let c = 0; c < cols; c++) {
      const code = codeOf(row, c);
      let exponent = (base - code) & 255;
      if (code === ESCAPE) {
        exponent = next < escapeBytes ? escapes.getUint8(start + next) : 0;
        next++;
      }
      const byte = bytes.getUint8(row * cols + c);
      bits[c] = ((byte & 128) << 24) | (exponent << 23) | ((byte & 127) << 16);
    }
    return values;
  };
}
