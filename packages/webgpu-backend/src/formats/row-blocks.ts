// Weights too large for one binding, or for the buffers that carry host weights, are used by blocks of rows.

import { byteLengthOf, type CodePacking, type WeightPacking, type WeightSlice } from '@airllm/backend';
import { PinnedWeightMemory } from '../memory/weight-memory.js';
import { FORMATS } from './format-of.js';

/** Kernels address elements with 32 bits. */
const MAX_ELEMENTS = 2 ** 31;

export interface RowBlock {
  readonly firstRow: number;
  readonly slice: WeightSlice;
}

/** Blocks of rows in order, each within `maxBytes`, companions included, where a block of the fewest rows is. */
export function rowBlocks(weight: WeightSlice, maxBytes: number): RowBlock[] {
  const step = rowStep(weight);
  let rows = weight.rows;
  while (rows > step && !fits(rowsOf(weight, 0, rows), maxBytes))
    rows = Math.max(step, Math.ceil(rows / 2 / step) * step);
  const blocks: RowBlock[] = [];
  for (let firstRow = 0; firstRow < weight.rows; firstRow += rows)
    blocks.push({ firstRow, slice: rowsOf(weight, firstRow, Math.min(rows, weight.rows - firstRow)) });
  return blocks;
}

/** A block that begins at a multiple of this many rows begins within nothing. */
export function rowStep({ dtype, cols, packing }: WeightSlice): number {
  switch (packing?.kind) {
    case 'code4':
      return cols % 2 === 0 ? 1 : 2;
    case 'gptq4':
    case 'awq4':
      return packing.kind === 'awq4' ? packing.groupRows : lcm(packing.groupRows, 8);
    default:
      return byteLengthOf(dtype, 1) >= 1 ? 1 : 2;
  }
}

/** Rows [first, first + rows) of a weight; `first` is a multiple of {@link rowStep}. */
export function rowsOf(weight: WeightSlice, first: number, rows: number): WeightSlice {
  if (first === 0 && rows === weight.rows) return weight;
  const { dtype, cols, byteOffset, scales, packing } = weight;
  return {
    ...weight,
    byteOffset: byteOffset + byteLengthOf(dtype, first * cols),
    rows,
    ...(scales && { scales: { ...scales, firstRow: scales.firstRow + first } }),
    ...(packing && { packing: packingOfRows(packing, first, cols) }),
  };
}

function packingOfRows(packing: WeightPacking, first: number, cols: number): WeightPacking {
  const move = <S extends { readonly byteOffset: number }>(span: S, byteLength: number): S => ({
    ...span,
    byteOffset: span.byteOffset + byteLength,
  });
  switch (packing.kind) {
    case 'mxfp4':
      return { ...packing, scales: move(packing.scales, (first * cols) / 32) };
    case 'code4':
    case 'code8':
      return codesOfRows(packing, first * cols);
    case 'int8':
    case 'int4':
      return { ...packing, scales: move(packing.scales, 4 * first * Math.ceil(cols / packing.groupCols)) };
    case 'bf16z':
      return {
        ...packing,
        codes: move(packing.codes, 24 * first * Math.ceil(cols / 64)),
        escapes: move(packing.escapes, first * packing.escapeBytes),
      };
    case 'gptq4':
    case 'awq4': {
      const { scales, scaleDType, zeros, rowGroups } = packing;
      if (rowGroups)
        return { ...packing, rowGroups: { ...rowGroups, indices: move(rowGroups.indices, 4 * first) } };
      const factors = (first / packing.groupRows) * cols;
      return {
        ...packing,
        scales: move(scales, byteLengthOf(scaleDType, factors)),
        zeros: move(zeros, factors / 2),
      };
    }
  }
}

function codesOfRows(packing: CodePacking, elements: number): CodePacking {
  const { first, blockLength, absmax, nested } = packing;
  const blocks = Math.floor((first + elements) / blockLength);
  return {
    ...packing,
    first: (first + elements) % blockLength,
    absmax: { ...absmax, byteOffset: absmax.byteOffset + blocks * (nested ? 1 : 4) },
    nested: nested && { ...nested, first: nested.first + blocks },
  };
}

/** All that a weight's kernel binds of host memory together; each binding of a pinned weight alone. */
function fits(weight: WeightSlice, maxBytes: number): boolean {
  const { memory, dtype, rows, cols } = weight;
  if (rows * cols > MAX_ELEMENTS) return false;
  const bytes = byteLengthOf(dtype, rows * cols);
  const extras = FORMATS[dtype].describe(weight).extras.map((range) => range?.byteLength ?? 0);
  if (memory instanceof PinnedWeightMemory) return Math.max(bytes, ...extras) <= maxBytes;
  return extras.reduce((sum, length) => sum + length, bytes) <= maxBytes;
}

function lcm(a: number, b: number): number {
  const gcd = (x: number, y: number): number => (y === 0 ? x : gcd(y, x % y));
  return (a / gcd(a, b)) * b;
}
