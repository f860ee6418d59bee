// Whether a matrix in any format, packed ones included, lies inside its memory with all that stands beside it.

import { blockElementsOf, byteLengthOf, isGguf, isPacked } from '../dtype.js';
import type {
  CodePacking,
  GroupPacking,
  IntPacking,
  LosslessPacking,
  RowGroups,
  WeightPacking,
} from '../packing.js';
import type { WeightSlice } from '../weight.js';
import { checkSpan, checkWeight, expect, isCount } from './check-operands.js';
import { viewOf } from './packed/view-of.js';

/** @throws BackendError `INVALID_OPERAND` */
export function checkPackable(what: string, weight: WeightSlice): void {
  const { dtype, rows, cols, packing, scales } = weight;
  if (!isPacked(dtype)) return checkWeight(what, weight);
  expect(
    isCount(rows) && isCount(cols) && cols % blockElementsOf(dtype) === 0,
    `Expected rows of whole blocks of ${blockElementsOf(dtype)} columns for ${what} in ${dtype} but received [${rows}, ${cols}]`,
  );
  checkSpan(what, weight, byteLengthOf(dtype, rows * cols));
  const needed = isGguf(dtype) ? undefined : dtype;
  expect(
    packing?.kind === needed && !scales,
    `Expected ${needed ? `a packing of ${needed}` : 'no packing'} for ${what} but received ${packing?.kind ?? 'none'}${scales ? ' and scales' : ''}`,
  );
  if (packing) checkPacking(what, packing, [rows, cols]);
}

function checkPacking(what: string, packing: WeightPacking, shape: readonly [number, number]): void {
  switch (packing.kind) {
    case 'mxfp4':
      return checkSpan(`scales of ${what}`, packing.scales, (shape[0] * shape[1]) / 32);
    case 'code4':
    case 'code8':
      return checkCodes(what, packing, shape);
    case 'gptq4':
    case 'awq4':
      return checkGroups(what, packing, shape);
    case 'int8':
    case 'int4':
      return checkIntegers(what, packing, shape);
    case 'bf16z':
      return checkLossless(what, packing, shape);
  }
}

function checkCodes(
  what: string,
  { kind, codes, blockLength, first, absmax, nested }: CodePacking,
  [rows, cols]: readonly [number, number],
): void {
  expect(
    isCount(blockLength) && Number.isSafeInteger(first) && first >= 0 && first < blockLength,
    `Expected blocks of elements for ${what} but received ${blockLength} of them from number ${first} on`,
  );
  const factors = Math.ceil((first + rows * cols) / blockLength);
  checkSpan(`codes of ${what}`, codes, 4 * (kind === 'code4' ? 16 : 256));
  checkSpan(`factors of ${what}`, absmax, nested ? factors : 4 * factors);
  if (!nested) return;
  expect(
    isCount(nested.blockLength) &&
      Number.isSafeInteger(nested.first) &&
      nested.first >= 0 &&
      Number.isFinite(nested.offset),
    `Expected blocks of factors for ${what} but received ${nested.blockLength} from ${nested.first} on, offset ${nested.offset}`,
  );
  checkSpan(`factor codes of ${what}`, nested.codes, 4 * 256);
  const blocks = Math.ceil((nested.first + factors) / nested.blockLength);
  checkSpan(`nested factors of ${what}`, nested.absmax, 4 * blocks);
}

function checkGroups(
  what: string,
  { kind, scales, scaleDType, zeros, groupRows, rowGroups }: GroupPacking,
  [rows, cols]: readonly [number, number],
): void {
  const isWhole = cols % 8 === 0 && (kind === 'awq4' || rows % 8 === 0);
  expect(
    isWhole && isCount(groupRows),
    `Expected whole words and groups for ${what} in ${kind} but received [${rows}, ${cols}] in groups of ${groupRows}`,
  );
  if (rowGroups) checkRowGroups(what, { kind, rowGroups, rows });
  const groups = rowGroups?.count ?? Math.ceil(rows / groupRows);
  checkSpan(`scales of ${what}`, scales, byteLengthOf(scaleDType, groups * cols));
  checkSpan(`zeros of ${what}`, zeros, (groups * cols) / 2);
}

function checkRowGroups(
  what: string,
  { kind, rowGroups, rows }: { kind: string; rowGroups: RowGroups; rows: number },
): void {
  const { indices, count } = rowGroups;
  expect(
    kind === 'gptq4' && isCount(count),
    `Expected a number of groups, and gptq4, for ${what} but received ${count} in ${kind}`,
  );
  checkSpan(`groups of the rows of ${what}`, indices, 4 * rows);
  // Memory on a device cannot be looked into; kernels keep their reads within the factors.
  if (indices.memory.bytes.byteLength === 0) return;
  const view = viewOf(indices);
  for (let row = 0; row < rows; row++) {
    const group = view.getInt32(4 * row, true);
    expect(
      group >= 0 && group < count,
      `Expected groups below ${count} for ${what} but row ${row} has ${group}`,
    );
  }
}

function checkIntegers(
  what: string,
  { scales, groupCols }: IntPacking,
  [rows, cols]: readonly [number, number],
): void {
  expect(isCount(groupCols), `Expected groups of columns for ${what} but received ${groupCols}`);
  checkSpan(`scales of ${what}`, scales, 4 * rows * Math.ceil(cols / groupCols));
}

function checkLossless(
  what: string,
  { codes, escapes, escapeBytes }: LosslessPacking,
  [rows, cols]: readonly [number, number],
): void {
  expect(isCount(escapeBytes), `Expected a base and escapes for ${what} but received ${escapeBytes} bytes`);
  checkSpan(`codes of ${what}`, codes, 24 * rows * Math.ceil(cols / 64));
  checkSpan(`escapes of ${what}`, escapes, rows * escapeBytes);
}
