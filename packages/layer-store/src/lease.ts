// A tile in memory, held for as long as commands read it.

import type { WeightMemory } from '@airllm/backend';

/** Holds a tile in memory until released. Release once, after the last submission that reads it ended. */
export interface TileLease {
  readonly tile: number;
  /** True when the memory is wanted for the next tile: release soon. */
  readonly streamed: boolean;
  readonly memory: WeightMemory;
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
    memory,
    release: () => {
      if (held) onRelease();
      held = false;
    },
  };
}
