// A tile in memory, held for as long as commands read it.

import type { WeightMemory } from '@airllm/backend';

/** Holds a tile in memory until released. Release once, after the last submission that reads it ended. */
export interface TileLease {
  readonly tile: number;
  /** True while the memory is wanted for another tile: release soon. */
  readonly streamed: boolean;
  readonly memory: WeightMemory;
  release(): void;
}

export function createLease(options: {
  tile: number;
  isStreamed: () => boolean;
  memory: WeightMemory;
  onRelease: () => void;
}): TileLease {
  const { tile, isStreamed, memory, onRelease } = options;
  let held = true;
  return {
    tile,
    memory,
    get streamed() {
      return isStreamed();
    },
    release: () => {
      if (held) onRelease();
      held = false;
    },
  };
}
