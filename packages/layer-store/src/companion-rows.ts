// Which bytes of a companion belong to a block of rows, by counting elements.

import type { Companion, FileSpan, ResolvedWeight } from './resolved-weight.js';

/** The units that rows [rowStart, rowStart + rowCount) have elements in. */
export function companionRows(
  { path, byteOffset, unitBytes, unitElements, first }: Companion,
  { cols }: Pick<ResolvedWeight, 'cols'>,
  { rowStart, rowCount }: { rowStart: number; rowCount: number },
): FileSpan {
  const firstUnit = Math.floor((first + rowStart * cols) / unitElements);
  const endUnit = Math.ceil((first + (rowStart + rowCount) * cols) / unitElements);
  return {
    path,
    byteOffset: byteOffset + firstUnit * unitBytes,
    byteLength: (endUnit - firstUnit) * unitBytes,
  };
}

/** The most bytes of a companion that one row has, wherever in a unit it begins. */
export function mostRowBytes({ unitBytes, unitElements }: Companion, cols: number): number {
  return (Math.ceil(cols / unitElements) + 1) * unitBytes;
}

/** All bytes of a weight's companions. */
export function companionsOf(weight: ResolvedWeight): FileSpan[] {
  const all = { rowStart: 0, rowCount: weight.rows };
  return (weight.packing?.companions ?? []).map((companion) => companionRows(companion, weight, all));
}
