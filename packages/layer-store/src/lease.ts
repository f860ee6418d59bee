// A tile in memory, held for as long as commands read it.

import type { WeightMemory, WeightSlice } from '@airllm/backend';
import type { TilePart } from './tile.js';

/** Holds a tile in memory until released. Release once, after the last submission that reads it ended. */
export interface TileLease {
  readonly tile: number;
  /** True when the memory is wanted for the next tile: release soon. */
  readonly streamed: boolean;
  /** The rows of `part`, which must be a part of this tile. */
  slice(part: TilePart): WeightSlice;
  release(): void;
}

export function createLease(options: {
  tile: number;
  streamed: boolean;
  memory: WeightMemory;
  onRelease: () => void;
}): TileLease {
  const { tile, streamed, memory, onRelease } = options;
  let held = true;
  return {
    tile,
    streamed,
    slice: (part) => ({
      memory,
      byteOffset: part.bufferOffset,
      dtype: part.weight.dtype,
      rows: part.rowCount,
      cols: part.weight.cols,
    }),
    release: () => {
      if (held) onRelease();
      held = false;
    },
  };
}
