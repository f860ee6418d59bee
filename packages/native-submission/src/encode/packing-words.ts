// What stands beside a packed weight, in words; native/decode/reader.cc reads them back.

import type { WeightPacking, WeightSpan } from '@airllm/backend';
import { DTYPE } from './opcodes.js';

/** Words of a packing, spans as what `span` makes of them. */
export function packingWords(
  packing: WeightPacking,
  span: (span: WeightSpan) => readonly number[],
): number[] {
  switch (packing.kind) {
    case 'mxfp4':
      return [...span(packing.scales)];
    case 'code4':
    case 'code8': {
      const { blockLength, first, codes, absmax, nested } = packing;
      const words = [blockLength, first, nested ? 1 : 0, ...span(codes), ...span(absmax)];
      if (!nested) return words;
      return [
        ...words,
        ...[nested.blockLength, nested.first, nested.offset],
        ...[...span(nested.codes), ...span(nested.absmax)],
      ];
    }
    case 'gptq4':
    case 'awq4': {
      const { scaleDType, groupRows, rowGroups, scales, zeros } = packing;
      const groups = rowGroups ? [1, rowGroups.count, ...span(rowGroups.indices)] : [0];
      return [DTYPE[scaleDType], groupRows, ...groups, ...span(scales), ...span(zeros)];
    }
    case 'int8':
    case 'int4':
      return [packing.groupCols, ...span(packing.scales)];
    case 'bf16z':
      return [packing.escapeBytes, ...span(packing.codes), ...span(packing.escapes)];
  }
}
