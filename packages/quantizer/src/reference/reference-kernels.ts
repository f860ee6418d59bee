// The formats in plain TypeScript: what each byte means, and the fallback where the native addon does not load.

import type { Kernels } from '../kernels.js';
import { decodeCodeBlocks, encodeCodeBlocks } from './code-blocks.js';
import { decodeIntegerGroups, encodeIntegerGroups } from './integer-groups.js';
import { decodeRows, encodeRows, surveyRows } from './lossless-rows.js';
import { encodeNestedFactors } from './nested-factors.js';
import { sourceValues } from './source-values.js';

/** Works on the JavaScript thread. `reason`: why it is used, for the description. */
export function createReferenceKernels(reason?: string): Kernels {
  return {
    isNative: false,
    description: `TypeScript reference${reason === undefined ? '' : ` (${reason})`}`,
    encodeCodes: async (format, source, to) =>
      encodeCodeBlocks(format, sourceValues(source.bytes, source.dtype), to),
    encodeFactors: async (absmax, to) => encodeNestedFactors(absmax, to),
    decodeCodes: async (blocks, to) => decodeCodeBlocks(blocks, to),
    encodeIntegers: async (format, source, shape, to) =>
      encodeIntegerGroups(format, sourceValues(source.bytes, source.dtype), shape, to),
    decodeIntegers: async (format, from, shape, to) => decodeIntegerGroups(format, from, shape, to),
    surveyLossless: async (source, shape, bases) => surveyRows(source, shape, bases),
    encodeLossless: async (source, shape, bases, to) => encodeRows(source, shape, bases, to),
    decodeLossless: async (from, shape, to) => decodeRows(from, shape, to),
  };
}
