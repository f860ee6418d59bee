// From a packed format to the function that decodes it.

import { isGguf, type PackedDType } from '../../dtype.js';
import { BackendError } from '../../errors.js';
import type { WeightSlice } from '../../weight.js';
import { codeRows } from './code-rows.js';
import { ggufRows } from './gguf-blocks.js';
import { groupRows } from './group-rows.js';
import { intRows } from './int-rows.js';
import { losslessRows } from './lossless-rows.js';
import { mxRows } from './mx-rows.js';

/** Returns a function to the values of one row, which the next call overwrites. */
export function packedRows(weight: WeightSlice, dtype: PackedDType): (row: number) => Float32Array {
  const { packing } = weight;
  if (isGguf(dtype)) return ggufRows(weight, dtype);
  switch (packing?.kind) {
    case 'mxfp4':
      return mxRows(weight, packing);
    case 'code4':
    case 'code8':
      return codeRows(weight, packing);
    case 'gptq4':
    case 'awq4':
      return groupRows(weight, packing);
    case 'int8':
    case 'int4':
      return intRows(weight, packing);
    case 'bf16z':
      return losslessRows(weight, packing);
    case undefined:
      throw new BackendError('INVALID_OPERAND', `Expected a packing for a weight in ${dtype}`);
  }
}
