// How much of unified memory the GPU may have: Metal's `recommendedMaxWorkingSetSize`, which Dawn does not tell.

import type { MacFacts } from './mac-facts.js';

const GIB = 2 ** 30;
/** From here on macOS recommends the larger share. */
const LARGE_MEMORY_BYTES = 36 * GIB;
const SHARE = 2 / 3;
const LARGE_SHARE = 3 / 4;

/** Bytes; undefined for a GPU that may have memory of its own. */
export function recommendedWorkingSet({
  memoryBytes,
  isAppleSilicon,
  wiredLimitBytes,
}: MacFacts): number | undefined {
  if (!isAppleSilicon) return undefined;
  if (wiredLimitBytes !== undefined) return Math.min(wiredLimitBytes, memoryBytes);
  return Math.floor(memoryBytes * (memoryBytes >= LARGE_MEMORY_BYTES ? LARGE_SHARE : SHARE));
}
