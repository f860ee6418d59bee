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
    case 'code4': {
      const { blockCols, codes, absmax, nested } = packing;
      const words = [blockCols, nested ? 1 : 0, ...span(codes), ...span(absmax)];
      if (!nested) return words;
      const { blockLength, first, offset } = nested;
      return [...words, blockLength, first, offset, ...span(nested.codes), ...span(nested.absmax)];
    }
    case 'gptq4':
    case 'awq4': {
      const { scaleDType, groupRows, scales, zeros } = packing;
      return [DTYPE[scaleDType], groupRows, ...span(scales), ...span(zeros)];
    }
  }
}
