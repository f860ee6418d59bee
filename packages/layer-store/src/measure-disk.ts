// How fast a model's weights can be read, found by reading some of them the way a run would.

import type { WeightMemory } from '@airllm/backend';
import { READS_IN_FLIGHT } from './dense-tiles.js';
import { FileReader } from './file-reader.js';
import { spreadOrder } from './placement.js';
import type { StoreLayout } from './store-layout.js';

export interface DiskSpeed {
  readonly bytesPerSecond: number;
  /** Why reads went through the page cache, so that the figure may be the memory's; undefined when they were direct. */
  readonly bufferedReason: string | undefined;
}

/** Long enough for a disk to show its steady speed, short enough to wait for. */
const DEFAULT_SECONDS = 0.5;

/**
 * Reads tiles from all over the model, several at once, until the time is up or each was read once.
 *
 * @param options.allocate memory for a few tiles, given back before this settles
 * @throws LayerStoreError `READ_FAILED`
 */
export async function measureDisk(options: {
  layout: StoreLayout;
  allocate: (byteLength: number) => WeightMemory;
  seconds?: number;
}): Promise<DiskSpeed> {
  const { layout, allocate, seconds = DEFAULT_SECONDS } = options;
  const tiles = [...layout.denseTiles, ...layout.expertTiles.values()];
  const order = spreadOrder(tiles.length).values();
  const largest = tiles.reduce((max, { bufferBytes }) => Math.max(max, bufferBytes), 1);
  const reader = new FileReader();
  const memories: WeightMemory[] = [];
  try {
    while (memories.length < READS_IN_FLIGHT) memories.push(allocate(largest));
    // Pages are committed when they are first written, which is no part of a disk's speed.
    for (const { bytes } of memories) bytes.fill(0);
    const started = performance.now();
    let bytesRead = 0;
    const lanes = memories.map(async (memory) => {
      for (const index of order) {
        const reads = tiles[index]?.reads ?? [];
        await reader.readAll(reads, memory);
        bytesRead += reads.reduce((sum, { byteLength }) => sum + byteLength, 0);
        if (performance.now() - started > seconds * 1000) return;
      }
    });
    const results = await Promise.allSettled(lanes);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return {
      bytesPerSecond: bytesRead / ((performance.now() - started) / 1000),
      bufferedReason: reader.bufferedReason,
    };
  } finally {
    for (const memory of memories) memory.dispose();
    await reader.close();
  }
}
