// From a packed format to the function that decodes it.

import type { PackedDType } from '../../dtype.js';
import { BackendError } from '../../errors.js';
import type { WeightSlice } from '../../weight.js';
import { codeRows } from './code-rows.js';
import { ggufRows } from './gguf-blocks.js';
import { groupRows } from './group-rows.js';
import { mxRows } from './mx-rows.js';

/** Returns a function to the values of one row, which the next call overwrites. */
export function packedRows(weight: WeightSlice, dtype: PackedDType): (row: number) => Float32Array {
  const { packing } = weight;
  switch (dtype) {
    case 'q8_0':
    case 'q4_0':
    case 'q4_k':
    case 'q6_k':
      return ggufRows(weight, dtype);
    case 'mxfp4':
    case 'code4':
    case 'gptq4':
    case 'awq4':
      break;
  }
  switch (packing?.kind) {
    case 'mxfp4':
      return mxRows(weight, packing);
    case 'code4':
      return codeRows(weight, packing);
    case 'gptq4':
    case 'awq4':
      return groupRows(weight, packing);
    case undefined:
      throw new BackendError('INVALID_OPERAND', `Expected a packing for a weight in ${dtype}`);
  }
}
