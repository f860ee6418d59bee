// Tiles that stay are packed so that further ones can.

import {
  CountingAllocator,
  makePlacement,
  makeTiles,
  ManualLoader,
  ManualPacker,
  PAGE,
  settled,
  stampOf,
} from '../test/support.js';
import { DenseTiles } from './dense-tiles.js';

describe('DenseTiles that packs what stays', () => {
  const COUNT = 12;

  /** Nine of twelve tiles stay, of which one makes room for packing. */
  async function openPacking() {
    const allocator = new CountingAllocator();
    const loader = new ManualLoader();
    const packer = new ManualPacker(allocator.allocate);
    const pinned = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const placement = makePlacement(COUNT, pinned, 2);
    const { allocate } = allocator;
    const { pack } = packer;
    const tiles = new DenseTiles(makeTiles(COUNT), placement, { allocate, loader, prefetch: true, pack });
    const round = async (): Promise<void> => {
      for (let tile = 0; tile < COUNT; tile++) {
        let lease = tiles.tryAcquire(tile);
        if (!lease) {
          const awaited = tiles.acquire(tile);
          await settled();
          await loader.finishAll();
          lease = await awaited;
        }
        expect(stampOf(lease.memory)).toBe(tile);
        lease.release();
      }
      await loader.finishAll();
    };
    return { allocator, loader, packer, tiles, placement, round };
  }

  it('begins in the second round, one tile at a time', async () => {
    const { packer, round } = await openPacking();
    await round();
    expect(packer.started).toEqual([]);
    await round();
    expect(packer.started).toEqual([0]);
  });

  it('lets further tiles stay as room is made, until all do, within the bytes it was given', async () => {
    const { allocator, loader, packer, tiles, placement, round } = await openPacking();
    for (let i = 0; i < 20; i++) {
      await round();
      if (packer.pending.length > 0) await packer.end('packed');
    }
    expect(allocator.peakBytes).toBeLessThanOrEqual(placement.totalBytes);
    // Eight stay at first; each two that are packed make room for another one.
    expect(packer.started).toHaveLength(8);
    expect(tiles.packing).toEqual({ savedBytes: 8 * (PAGE / 2), error: undefined });
    loader.started.length = 0;
    await round();
    expect(loader.started).toEqual([]);
  });

  it('gives plain memory back at the last release', async () => {
    const { allocator, packer, tiles, round } = await openPacking();
    await round();
    const lease = await tiles.acquire(0);
    const [plain] = [lease.memory];
    expect(packer.started).toEqual([0]);
    const before = allocator.liveBytes;
    await packer.end('packed');
    expect(stampOf(plain)).toBe(0);
    expect(allocator.liveBytes).toBe(before);
    lease.release();
    await settled();
    expect(() => plain.bytes).toThrow('given back');
  });

  it('goes on after a tile that would not be smaller, and ends with the first failure', async () => {
    const { packer, tiles, round } = await openPacking();
    await round();
    await round();
    await packer.end('too large');
    expect(packer.started).toHaveLength(2);
    await packer.end(new Error('no memory'));
    expect(tiles.packing).toEqual({ savedBytes: 0, error: new Error('no memory') });
    await round();
    expect(packer.started).toHaveLength(2);
  });

  it('keeps packed tiles that still fit when the budget shrinks, and packs none twice', async () => {
    const { loader, packer, tiles, round } = await openPacking();
    await round();
    await round();
    for (let i = 0; i < 3; i++) await packer.end('packed');
    const replaced = tiles.replace(makePlacement(COUNT, [0, 1, 2, 3, 4, 5, 6, 7], 2));
    await packer.end('too large');
    await replaced;
    loader.started.length = 0;
    await round();
    // Three packed tiles take 1.5 of 7 pages: five plain ones fit beside them, those that were there.
    expect(loader.started).toEqual(expect.not.arrayContaining([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(new Set(packer.started).size).toBe(packer.started.length);
  });

  it('does not begin where few tiles stay', async () => {
    const allocator = new CountingAllocator();
    const loader = new ManualLoader();
    const packer = new ManualPacker(allocator.allocate);
    const placement = makePlacement(COUNT, [0, 1, 2], 2);
    const { allocate } = allocator;
    const options = { allocate, loader, prefetch: true, pack: packer.pack };
    const tiles = new DenseTiles(makeTiles(COUNT), placement, options);
    expect(allocator.liveBytes).toBe(placement.totalBytes);
    for (let step = 0; step < 2 * COUNT; step++) {
      const awaited = tiles.acquire(step % COUNT);
      await settled();
      await loader.finishAll();
      (await awaited).release();
    }
    expect(packer.started).toEqual([]);
  });
});
