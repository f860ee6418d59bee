// Tiles that stay on a device with memory of its own.

import {
  CountingAllocator,
  makePlacement,
  makeTiles,
  ManualLoader,
  PAGE,
  settled,
  stampOf,
} from '../test/support.js';
import { DenseTiles } from './dense-tiles.js';
import type { TileLease } from './lease.js';

describe('DenseTiles on a device with memory of its own', () => {
  function openOnDevice({ count = 6, onDevice = [0, 2, 3, 5], pinned = [] as number[] } = {}) {
    const [allocator, device] = [new CountingAllocator(), new CountingAllocator()];
    const loader = new ManualLoader();
    const pins: (() => Promise<void>)[] = [];
    const tiles = new DenseTiles(makeTiles(count), makePlacement(count, pinned, 2, onDevice), {
      ...{ allocate: allocator.allocate, loader, prefetch: true },
      device: {
        pin: (memory) =>
          new Promise((resolve) => {
            pins.push(async () => {
              resolve(device.copy(memory));
              await settled();
            });
          }),
      },
    });
    const settle = async (): Promise<void> => {
      while (loader.pending.length > 0 || pins.length > 0) {
        await loader.finishAll();
        await pins.shift()?.();
      }
    };
    const use = async (tile: number): Promise<TileLease> => {
      const awaited = tiles.acquire(tile);
      await settle();
      return awaited;
    };
    return { allocator, device, loader, pins, tiles, settle, use };
  }

  it('are read once, and their host memory is given back', async () => {
    const { allocator, device, loader, use } = openOnDevice();
    for (let step = 0; step < 18; step++) {
      const lease = await use(step % 6);
      expect(stampOf(lease.memory)).toBe(step % 6);
      expect(lease.streamed).toBe(step % 6 === 1 || step % 6 === 4);
      lease.release();
    }
    for (const tile of [0, 2, 3, 5]) expect(loader.started.filter((read) => read === tile)).toHaveLength(1);
    // The ring of two is all that is left.
    expect([allocator.liveBytes, device.liveBytes]).toEqual([2 * PAGE, 4 * PAGE]);
    expect(allocator.peakBytes).toBe(4 * PAGE);
  });

  it('are there when the device has them, and not when they are read', async () => {
    const { loader, pins, tiles } = openOnDevice();
    expect(tiles.tryAcquire(0)).toBeUndefined();
    await loader.finish(0);
    expect(tiles.tryAcquire(0)).toBeUndefined();
    await pins.shift()?.();
    expect(tiles.tryAcquire(0)?.streamed).toBe(false);
  });

  it('leave the device when a placement gives them up, and stay where it does not', async () => {
    const { device, loader, tiles, settle, use } = openOnDevice({ count: 5, onDevice: [0, 2, 4] });
    for (const tile of [0, 1, 2, 3, 4]) (await use(tile)).release();
    const before = loader.started.length;
    const replaced = tiles.replace(makePlacement(5, [0], 2, [2]));
    await settle();
    await replaced;
    expect(device.liveBytes).toBe(PAGE);
    for (const tile of [0, 1, 2, 3, 4]) (await use(tile)).release();
    await settle();
    expect(loader.started.slice(before)).not.toContain(2);
    expect(loader.started.slice(before)).toContain(0);
    const closing = tiles.close();
    await settle();
    await closing;
    expect(device.liveBytes).toBe(0);
  });
});
