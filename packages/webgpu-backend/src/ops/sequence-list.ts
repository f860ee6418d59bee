// The sequences of a pass, as a list for kernels of recurrent ops.

import type { BatchLayout } from '@airllm/backend';

/** Four words each: first row, rows, past, slot. */
export function sequenceList({ sequences }: BatchLayout): number[] {
  return sequences.flatMap(({ rowStart, rowCount, past, slot }) => [rowStart, rowCount, past, slot]);
}
