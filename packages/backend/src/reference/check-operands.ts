// Whether operands lie inside the memory they point into and have the shape an op asks for.

import type { Arena } from '../backend.js';
import { byteLengthOf, DTYPES } from '../dtype.js';
import { BackendError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { WeightSpan } from '../packing.js';
import type { WeightSlice } from '../weight.js';

/** @throws BackendError `INVALID_OPERAND` unless every element of `tensor` lies in `arena`. */
export function checkTensor(what: string, tensor: Tensor, arena: Arena): void {
  const { rows, cols, rowStride, storage, start } = tensor;
  const offset = storage.offset < 0 ? -1 : storage.offset + start;
  expect(
    isCount(rows) && isCount(cols),
    `Expected rows and columns for ${what} but received [${rows}, ${cols}]`,
  );
  expect(
    rows === 1 || (Number.isSafeInteger(rowStride) && rowStride >= cols),
    `Expected a row stride of at least ${cols} for ${what} but received ${rowStride}`,
  );
  const end = offset + (rows - 1) * rowStride + cols;
  expect(
    Number.isSafeInteger(offset) && offset >= 0 && end <= arena.elements,
    `Expected ${what} within the ${arena.elements} elements of the arena but it covers [${offset}, ${end})`,
  );
}

/** Checks that a tensor can be written with `data`, row-major. */
export function checkWrite(tensor: Tensor, data: Float32Array, arena: Arena): void {
  checkTensor('written tensor', tensor, arena);
  const { rows, cols } = tensor;
  expect(
    data.length === rows * cols,
    `Expected ${rows * cols} values for a tensor of shape [${rows}, ${cols}] but received ${data.length}`,
  );
}

/** Checks range and shape of a tensor. */
export function checkShaped(
  what: string,
  tensor: Tensor,
  { arena, rows, cols }: { arena: Arena; rows: number; cols: number },
): void {
  checkTensor(what, tensor, arena);
  expect(
    tensor.rows === rows && tensor.cols === cols,
    `Expected shape [${rows}, ${cols}] for ${what} but received [${tensor.rows}, ${tensor.cols}]`,
  );
}

/** Checks that a weight whose values stand alone lies inside its memory. */
export function checkWeight(what: string, weight: WeightSlice): void {
  const { memory, byteOffset, dtype, rows, cols } = weight;
  expect(
    DTYPES.some((known) => known === dtype),
    `Expected dtype ${DTYPES.join(', ')} for ${what} but received ${dtype}`,
  );
  expect(weight.packing === undefined, `Expected no packing for ${what} in ${dtype}`);
  expect(
    isCount(rows) && isCount(cols),
    `Expected rows and columns for ${what} but received [${rows}, ${cols}]`,
  );
  checkSpan(what, { memory, byteOffset }, byteLengthOf(dtype, rows * cols));
  checkScales(what, weight);
}

/** Checks that `byteLength` bytes from a place on lie inside its memory. */
export function checkSpan(what: string, { memory, byteOffset }: WeightSpan, byteLength: number): void {
  const end = byteOffset + byteLength;
  expect(
    Number.isSafeInteger(byteOffset) && byteOffset >= 0 && end <= memory.byteLength,
    `Expected ${what} within its ${memory.byteLength} bytes but it covers [${byteOffset}, ${end})`,
  );
}

/** Checks that a weight has the scales its dtype asks for, one for every element. */
function checkScales(what: string, { dtype, rows, cols, scales }: WeightSlice): void {
  if (dtype !== 'f8e4m3' || !scales) {
    return expect(
      (dtype === 'f8e4m3') === (scales !== undefined),
      `Expected scales for f8e4m3 and for nothing else but received ${dtype} ${scales ? 'with' : 'without'} scales for ${what}`,
    );
  }
  const {
    memory,
    byteOffset,
    dtype: gridDType = 'f32',
    cols: gridCols,
    blockRows,
    blockCols,
    firstRow,
  } = scales;
  expect(
    isCount(blockRows) &&
      isCount(blockCols) &&
      isCount(gridCols) &&
      Number.isSafeInteger(firstRow) &&
      firstRow >= 0,
    `Expected blocks of scales for ${what} but received ${blockRows} × ${blockCols} from row ${firstRow}, ${gridCols} columns`,
  );
  const neededCols = Math.ceil(cols / blockCols);
  expect(
    gridCols >= neededCols,
    `Expected ${neededCols} columns of scales for ${what} but received ${gridCols}`,
  );
  const gridRows = Math.ceil((firstRow + rows) / blockRows);
  const end = byteOffset + byteLengthOf(gridDType, (gridRows - 1) * gridCols + neededCols);
  expect(
    Number.isSafeInteger(byteOffset) && byteOffset >= 0 && end <= memory.byteLength,
    `Expected scales of ${what} within their ${memory.byteLength} bytes but they cover [${byteOffset}, ${end})`,
  );
}

/** Checks range and length of a weight that is one row. */
export function checkVector(what: string, weight: WeightSlice, length: number): void {
  checkWeight(what, weight);
  expect(
    weight.rows === 1 && weight.cols === length,
    `Expected shape [1, ${length}] for ${what} but received [${weight.rows}, ${weight.cols}]`,
  );
}

/** Checks `count` row numbers below `limit`. */
export function checkIndices(
  what: string,
  indices: Uint32Array,
  { count, limit }: { count: number; limit: number },
): void {
  expect(indices.length === count, `Expected ${count} ${what} but received ${indices.length}`);
  const wrong = indices.find((index) => index >= limit);
  expect(wrong === undefined, `Expected ${what} below ${limit} but received ${wrong}`);
}

/** Checks range and shape of a weight matrix. */
export function checkMatrix(
  what: string,
  weight: WeightSlice,
  [rows, cols]: readonly [number, number],
): void {
  checkWeight(what, weight);
  expect(
    weight.rows === rows && weight.cols === cols,
    `Expected shape [${rows}, ${cols}] for ${what} but received [${weight.rows}, ${weight.cols}]`,
  );
}

export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

export function expect(condition: boolean, message: string): void {
  if (!condition) throw new BackendError('INVALID_OPERAND', message);
}
