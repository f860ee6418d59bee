// An expert cache whose reads end when a test says so.

import { ExpertTiles } from '../src/expert-tiles.js';
import type { TileLease } from '../src/lease.js';
import { CountingAllocator, makeTiles, ManualLoader, PAGE, settled } from './support.js';

/** Expert tiles are numbered after the dense ones. */
export const FIRST = 100;

export async function openTiles({ count = 10, slots = 3 } = {}) {
  const allocator = new CountingAllocator();
  const loader = new ManualLoader();
  const byIndex = new Map(makeTiles(count, FIRST).map((tile) => [tile.index, tile]));
  const wasted: number[] = [];
  const { allocate } = allocator;
  const tiles = new ExpertTiles(byIndex, { allocate, loader, onWasted: (tile) => wasted.push(tile) });
  await tiles.resize(slots, PAGE);
  const use = async (tile: number): Promise<TileLease> => {
    const present = tiles.tryAcquire(tile);
    if (present) return present;
    const awaited = tiles.acquire(tile);
    await settled();
    if (loader.pendingTiles.includes(tile)) await loader.finish(tile);
    return awaited;
  };
  return { allocator, loader, tiles, use, wasted };
}
