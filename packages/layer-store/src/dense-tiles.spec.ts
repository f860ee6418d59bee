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

function openTiles({ count = 10, pinned = [] as number[], ringSlots = 3, prefetch = true } = {}) {
  const allocator = new CountingAllocator();
  const loader = new ManualLoader();
  const placement = makePlacement(count, pinned, ringSlots);
  const { allocate } = allocator;
  const tiles = new DenseTiles(makeTiles(count), placement, { allocate, loader, prefetch });
  /** Asks for a tile as runners do, and ends its read if it has to be waited for. */
  const use = async (tile: number): Promise<TileLease> => {
    const present = tiles.tryAcquire(tile);
    if (present) return present;
    const awaited = tiles.acquire(tile);
    await settled();
    if (loader.pendingTiles.includes(tile)) await loader.finish(tile);
    return awaited;
  };
  return { allocator, loader, tiles, use };
}

/** What became of a promise so far: the tile, the error's message, or `waiting`. */
function watch(promise: Promise<TileLease>): { outcome: number | string } {
  const watched: { outcome: number | string } = { outcome: 'waiting' };
  promise.then(
    (lease) => (watched.outcome = lease.tile),
    (error: Error) => (watched.outcome = error.message),
  );
  return watched;
}

describe('DenseTiles', () => {
  it('hands tiles out round by round, each with its own bytes', async () => {
    const { use } = openTiles({ count: 5, pinned: [1, 2], ringSlots: 2 });
    for (let step = 0; step < 15; step++) {
      const lease = await use(step % 5);
      expect(lease).toMatchObject({ tile: step % 5, streamed: ![1, 2].includes(step % 5) });
      expect(stampOf(lease.memory)).toBe(step % 5);
      lease.release();
    }
  });

  it('reads pinned tiles once and streamed ones once a round', async () => {
    const { loader, use } = openTiles({ count: 4, pinned: [0, 2], ringSlots: 2, prefetch: false });
    for (let step = 0; step < 12; step++) (await use(step % 4)).release();
    expect(loader.started).toEqual([0, 1, 2, 3, 1, 3, 1, 3]);
  });

  it('does not have a tile whose read has not ended', async () => {
    const { loader, tiles } = openTiles();
    expect(tiles.tryAcquire(0)).toBeUndefined();
    await loader.finish(0);
    expect(tiles.tryAcquire(0)?.tile).toBe(0);
  });

  it('works with one tile', async () => {
    const { loader, use } = openTiles({ count: 1, ringSlots: 2 });
    for (let round = 0; round < 3; round++) {
      const lease = await use(0);
      expect(stampOf(lease.memory)).toBe(0);
      lease.release();
    }
    expect(loader.started.length).toBeGreaterThanOrEqual(3);
  });
});

describe('read-ahead', () => {
  it('fills the ring and goes on when a slot comes back', async () => {
    const { loader, tiles } = openTiles({ ringSlots: 3 });
    tiles.tryAcquire(0);
    expect(loader.pendingTiles).toEqual([0, 1, 2]);
    await loader.finish(0);
    const lease = tiles.tryAcquire(0);
    expect(loader.started).toEqual([0, 1, 2]);
    lease?.release();
    expect(loader.started).toEqual([0, 1, 2, 3]);
  });

  it('has eight reads in flight at most', async () => {
    const { loader, tiles } = openTiles({ count: 12, pinned: [0, 1, 2, 3, 4, 5, 6, 7], ringSlots: 3 });
    tiles.tryAcquire(0);
    expect(loader.pendingTiles).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await loader.finish(2);
    expect(loader.pendingTiles).toEqual([0, 1, 3, 4, 5, 6, 7, 8]);
  });

  it('reads tiles that stay while the ring is full, and the others in order as it empties', async () => {
    const { loader, tiles, use } = openTiles({ count: 8, pinned: [3, 5, 6], ringSlots: 2 });
    tiles.tryAcquire(0);
    expect(loader.started).toEqual([0, 1, 3, 5, 6]);
    await loader.finishAll();
    (await use(0)).release();
    (await use(1)).release();
    expect(loader.started).toEqual([0, 1, 3, 5, 6, 2, 4]);
  });

  it('goes on from the last tile with the first', async () => {
    const { loader, use } = openTiles({ count: 3, ringSlots: 2 });
    (await use(0)).release();
    (await use(1)).release();
    const lease = await use(2);
    expect(loader.pendingTiles).toEqual([0]);
    lease.release();
    expect(loader.pendingTiles).toEqual([0, 1]);
  });

  it('is never more than one round ahead', async () => {
    const { loader, tiles } = openTiles({ count: 2, ringSlots: 4 });
    tiles.tryAcquire(0);
    await loader.finishAll();
    expect(loader.started).toEqual([0, 1]);
    const lease = tiles.tryAcquire(0);
    // Tile 0 of the next round is the tile that is held.
    expect(loader.started).toEqual([0, 1]);
    lease?.release();
    await loader.finishAll();
    expect(loader.started).toEqual([0, 1, 0]);
  });

  it('reads nothing that was not asked for when switched off', async () => {
    const { loader, use } = openTiles({ prefetch: false });
    for (const tile of [0, 1, 2]) {
      const lease = await use(tile);
      expect(loader.started).toEqual([0, 1, 2].slice(0, tile + 1));
      lease.release();
    }
  });
});

describe('more leases than slots', () => {
  it('waits for a release', async () => {
    const { loader, tiles, use } = openTiles({ ringSlots: 2 });
    const first = await use(0);
    await use(1);
    expect(tiles.tryAcquire(2)).toBeUndefined();
    const third = watch(tiles.acquire(2));
    await settled();
    expect(third.outcome).toBe('waiting');
    expect(loader.pendingTiles).toEqual([]);
    first.release();
    await loader.finish(2);
    expect(third.outcome).toBe(2);
  });

  it('keeps a tile that is leased twice until the last release', async () => {
    const { loader, tiles, use } = openTiles({ count: 3, ringSlots: 1, prefetch: false });
    const first = await use(0);
    tiles.tryAcquire(1);
    tiles.tryAcquire(2);
    const again = tiles.tryAcquire(0);
    expect(again?.tile).toBe(0);
    first.release();
    first.release(); // A second release of one lease does not count.
    tiles.tryAcquire(1);
    expect(loader.started).toEqual([0]);
    again?.release();
    expect(loader.pendingTiles).toEqual([1]);
  });
});

describe('a break in the order', () => {
  it('drops what was read ahead and starts where it is asked to', async () => {
    const { loader, tiles, use } = openTiles({ ringSlots: 3 });
    const lease = await use(0);
    await loader.finishAll();
    lease.release();
    await loader.finishAll();
    expect(loader.started).toEqual([0, 1, 2, 3]);
    expect(tiles.tryAcquire(0)).toBeUndefined();
    expect(loader.started).toEqual([0, 1, 2, 3, 0, 1, 2]);
  });

  it('does not write to memory that a dropped read still writes to', async () => {
    const { loader, tiles } = openTiles({ ringSlots: 3 });
    tiles.tryAcquire(0);
    const [, dropped] = loader.pending;
    const awaited = watch(tiles.acquire(6));
    await settled();
    expect(awaited.outcome).toBe('waiting');
    expect(loader.started).toEqual([0, 1, 2]);
    await loader.finish(1);
    expect(loader.pendingTiles).toEqual([0, 2, 6]);
    expect(loader.pending.at(-1)?.memory).toBe(dropped?.memory);
    await loader.finish(6);
    expect(awaited.outcome).toBe(6);
  });

  it('keeps pinned tiles', async () => {
    const { loader, tiles, use } = openTiles({ pinned: [0, 1], ringSlots: 2 });
    for (const tile of [0, 1, 2]) (await use(tile)).release();
    await loader.finishAll();
    expect(tiles.tryAcquire(0)?.tile).toBe(0);
    expect(tiles.tryAcquire(1)?.tile).toBe(1);
    expect(loader.started.filter((tile) => tile < 2)).toEqual([0, 1]);
  });
});

describe('a read that fails', () => {
  it('rejects who waits for the tile, and is tried again when asked for again', async () => {
    const { loader, tiles } = openTiles({ prefetch: false });
    const failing = watch(tiles.acquire(0));
    await settled();
    await loader.fail(0);
    expect(failing.outcome).toBe('the disk is gone');
    const retried = watch(tiles.acquire(0));
    await settled();
    await loader.finish(0);
    expect(retried.outcome).toBe(0);
  });

  it.each([
    ['the first tile', 0],
    ['a later tile', 1],
  ])('can be tried again though read-ahead took its slot: %s', async (_, failed) => {
    const { loader, tiles, use } = openTiles({ ringSlots: 2 });
    for (let tile = 0; tile < failed; tile++) (await use(tile)).release();
    tiles.tryAcquire(failed);
    await loader.fail(failed);
    await loader.finishAll();
    const retried = watch(tiles.acquire(failed));
    await settled();
    await loader.finishAll();
    expect(retried.outcome).toBe(failed);
  });

  it('can be tried again though as many reads as may be are in flight', async () => {
    const { loader, tiles } = openTiles({ count: 12, ringSlots: 10 });
    tiles.tryAcquire(0);
    await loader.fail(0);
    expect(loader.pendingTiles).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const retried = watch(tiles.acquire(0));
    await settled();
    for (const tile of [1, 2, 3, 4, 5, 6, 7, 8]) await loader.finish(tile);
    await loader.finishAll();
    expect(retried.outcome).toBe(0);
  });

  it('of a pinned tile can be tried again, into the same memory', async () => {
    const { allocator, loader, tiles } = openTiles({ pinned: [0], ringSlots: 0, count: 1 });
    const failing = watch(tiles.acquire(0));
    await settled();
    await loader.fail(0);
    expect(failing.outcome).toBe('the disk is gone');
    const retried = watch(tiles.acquire(0));
    await settled();
    await loader.finish(0);
    expect(retried.outcome).toBe(0);
    expect(allocator.liveBytes).toBe(PAGE);
  });

  it('ahead of use harms nobody until the tile is asked for', async () => {
    const { loader, tiles, use } = openTiles({ ringSlots: 3 });
    tiles.tryAcquire(0);
    await loader.fail(1);
    (await use(0)).release();
    await loader.finishAll();
    (await use(1)).release();
    expect((await use(2)).tile).toBe(2);
  });
});

describe('memory', () => {
  it('is taken before the first read', () => {
    const { allocator, loader } = openTiles({ count: 6, pinned: [0, 3], ringSlots: 2 });
    expect(allocator.liveBytes).toBe(4 * PAGE);
    expect(loader.started).toEqual([]);
  });
});

describe('replace', () => {
  it('keeps tiles that stay pinned, gives the rest back, and goes on in order', async () => {
    const { allocator, loader, tiles, use } = openTiles({ count: 5, pinned: [0, 2, 4], ringSlots: 2 });
    for (let tile = 0; tile < 5; tile++) (await use(tile)).release();
    await loader.finishAll();
    loader.started.length = 0;
    const smaller = makePlacement(5, [2], 3);
    await tiles.replace(smaller);
    expect(allocator.liveBytes).toBe(smaller.totalBytes);
    for (let tile = 0; tile < 5; tile++) (await use(tile)).release();
    await loader.finishAll();
    expect(loader.started.slice(0, 4)).toEqual([0, 1, 3, 4]);
    expect(allocator.liveBytes).toBe(smaller.totalBytes);
  });

  it('waits for reads in flight', async () => {
    const { allocator, loader, tiles, use } = openTiles({ count: 5, ringSlots: 2 });
    (await use(0)).release();
    expect(loader.pendingTiles).toEqual([1, 2]);
    const placement = makePlacement(5, [0, 1, 2, 3, 4], 0);
    const replaced = tiles.replace(placement);
    await settled();
    expect(allocator.liveBytes).toBe(2 * PAGE);
    await loader.finish(1);
    await loader.finish(2);
    await replaced;
    expect(allocator.liveBytes).toBe(placement.totalBytes);
    for (const tile of [1, 2, 3, 4, 0]) (await use(tile)).release();
    expect(allocator.liveBytes).toBe(placement.totalBytes);
  });
});

describe('replace without memory', () => {
  it('closes and leaves nothing behind', async () => {
    const { allocator, tiles } = openTiles({ count: 5, pinned: [0], ringSlots: 2 });
    allocator.failure = new Error('out of memory');
    await expect(tiles.replace(makePlacement(5, [0, 1, 2], 3))).rejects.toThrow('out of memory');
    expect(allocator.liveBytes).toBe(0);
    await expect(tiles.acquire(0)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

describe('close', () => {
  it('waits for reads in flight and gives everything back', async () => {
    const { allocator, loader, tiles, use } = openTiles({ count: 5, pinned: [0], ringSlots: 2 });
    (await use(0)).release();
    let closed = false;
    const closing = tiles.close().then(() => (closed = true));
    await settled();
    expect(closed).toBe(false);
    const reads = loader.started.length;
    for (const tile of [...loader.pendingTiles]) await loader.finish(tile);
    await closing;
    expect(allocator.liveBytes).toBe(0);
    expect(loader.started).toHaveLength(reads);
  });

  it.each(['a slot', 'a read'])('refuses who waits for %s', async (what) => {
    const { allocator, loader, tiles, use } = openTiles({ ringSlots: 2 });
    const held = what === 'a slot' ? [await use(0), await use(1)] : [];
    const awaited = tiles.acquire(held.length).catch((error: unknown) => error);
    await settled();
    for (const lease of held) lease.release();
    const closing = tiles.close();
    await settled();
    await loader.finishAll();
    await closing;
    expect(await awaited).toMatchObject({ code: 'STORE_CLOSED' });
    expect(allocator.liveBytes).toBe(0);
  });
});
