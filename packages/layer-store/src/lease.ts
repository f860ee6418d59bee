// A tile in memory, held for as long as commands read it.

import type { WeightMemory } from '@airllm/backend';
import type { PackedTile } from './packed-tile.js';

/** Holds a tile in memory until released. Release once, after the last submission that reads it ended. */
export interface TileLease {
  readonly tile: number;
  /** True while the memory is wanted for another tile: release soon. */
  readonly streamed: boolean;
  readonly memory: WeightMemory;
  /** How the tile lies in the memory; undefined where it is as stored. */
  readonly packed?: PackedTile | undefined;
  release(): void;
}

export function createLease(options: {
  tile: number;
  isStreamed: () => boolean;
  memory: WeightMemory;
  packed?: PackedTile | undefined;
  onRelease: () => void;
}): TileLease {
  const { tile, isStreamed, memory, packed, onRelease } = options;
  let held = true;
  return {
    tile,
    memory,
    packed,
    get streamed() {
      return isStreamed();
    },
    release: () => {
      if (held) onRelease();
      held = false;
    },
  };
}
