import { openTiles } from '../test/expert-tiles.js';
import { PAGE, settled, stampOf } from '../test/support.js';
import type { TileLease } from './lease.js';

describe('ExpertTiles', () => {
  it('reads what is asked for, once, while there is room', async () => {
    const { loader, use } = await openTiles({ slots: 3 });
    for (const tile of [104, 101, 104, 107, 101, 107]) {
      const lease = await use(tile);
      expect(lease.tile).toBe(tile);
      expect(stampOf(lease.memory)).toBe(tile);
      lease.release();
    }
    expect(loader.started).toEqual([104, 101, 107]);
  });

  it('lets what is used no more than the others pass through one slot', async () => {
    const { tiles, use, loader } = await openTiles({ slots: 3 });
    for (const tile of [100, 101, 102, 103, 104]) (await use(tile)).release();
    expect([100, 101, 104].every((tile) => tiles.holds(tile))).toBe(true);
    const [third, fourth, fifth] = loader.memories.slice(2);
    expect([fourth, fifth]).toEqual([third, third]);
  });

  it('makes room for what is used more by dropping the least used', async () => {
    const { tiles, use } = await openTiles({ slots: 3 });
    for (const tile of [100, 101, 100, 102]) (await use(tile)).release();
    // At its second use 102 has more than 101: it stays, and 103 passes where 101 was.
    for (const tile of [102, 103]) (await use(tile)).release();
    expect([100, 102, 103].every((tile) => tiles.holds(tile))).toBe(true);
    (await use(104)).release();
    expect([100, 102, 104].every((tile) => tiles.holds(tile))).toBe(true);
  });

  it('lets a few pass at once, the latest of which makes room first', async () => {
    const { loader, tiles, use } = await openTiles({ count: 40, slots: 16 });
    const layer = async (indices: readonly number[]): Promise<void> => {
      tiles.expect(indices);
      await loader.finishAll();
      for (const index of indices) (await use(index)).release();
    };
    const numbers = (first: number, count: number): number[] =>
      Array.from({ length: count }, (_, i) => first + i);
    await layer(numbers(100, 16));
    // All were read at once: the last twelve pass, four stay.
    await layer(numbers(120, 3));
    expect(numbers(100, 16).filter((tile) => !tiles.holds(tile))).toEqual([113, 114, 115]);
    await layer(numbers(130, 3));
    expect(numbers(120, 3).filter((tile) => tiles.holds(tile))).toEqual([]);
  });

  it('keeps what was used often before what was used last, until that was long ago', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    const pass = async (tile: number): Promise<void> => {
      tiles.expect([tile]);
      await loader.finishAll();
      (await use(tile)).release();
    };
    for (let i = 0; i < 3; i++) await pass(100);
    for (const tile of [101, 102, 103]) await pass(tile);
    expect([100, 101, 102, 103].filter((tile) => tiles.holds(tile))).toEqual([100, 103]);
    // 33 passes later, three uses count less than one: 3 · 2^(−33/16) = 0.72.
    for (let i = 0; i < 33; i++) await pass(103);
    await pass(104);
    await pass(105);
    expect([100, 103, 104, 105].filter((tile) => tiles.holds(tile))).toEqual([103, 105]);
  });

  it('never drops a tile in use', async () => {
    const { tiles, use } = await openTiles({ slots: 2 });
    const held = await use(100);
    for (const tile of [101, 102, 103]) (await use(tile)).release();
    expect(stampOf(held.memory)).toBe(100);
    expect(tiles.tryAcquire(100)?.tile).toBe(100);
  });

  it('waits for a release when every slot is in use', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    const [first] = [await use(100), await use(101)];
    let granted: TileLease | undefined;
    void tiles.acquire(102).then((lease) => (granted = lease));
    await settled();
    expect(loader.pendingTiles).toEqual([]);
    first.release();
    await settled();
    await loader.finish(102);
    expect(granted?.tile).toBe(102);
  });

  it('wants tiles back soon only while an expected one has no slot', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    const [first, second] = [await use(100), await use(101)];
    expect([first.streamed, second.streamed]).toEqual([false, false]);
    tiles.expect([102]);
    expect([first.streamed, second.streamed]).toEqual([true, true]);
    first.release();
    expect([loader.pendingTiles, second.streamed]).toEqual([[102], false]);
  });

  it('says what is in memory, which what is being read is not yet', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    (await use(100)).release();
    tiles.expect([101]);
    expect([100, 101, 102].map((tile) => tiles.holds(tile))).toEqual([true, false, false]);
    await loader.finish(101);
    expect(tiles.holds(101)).toBe(true);
  });

  it('refuses a tile that is none of its own', async () => {
    const { tiles } = await openTiles();
    await expect(tiles.acquire(7)).rejects.toThrow('Expected an expert tile but received 7');
  });
});

describe('expected tiles', () => {
  it('are read side by side, in order, as far as there are slots', async () => {
    const { loader, tiles } = await openTiles({ slots: 3 });
    tiles.expect([105, 102, 108, 101]);
    expect(loader.pendingTiles).toEqual([105, 102, 108]);
  });

  it('are not dropped for each other', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    tiles.expect([105, 102, 108, 101]);
    await loader.finishAll();
    expect(loader.started).toEqual([105, 102, 108]);
    for (const tile of [105, 102, 108]) (await use(tile)).release();
    await loader.finishAll();
    expect(loader.started).toEqual([105, 102, 108, 101]);
  });

  it('take the slots of tiles that are not expected', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    for (const tile of [100, 101, 102]) (await use(tile)).release();
    tiles.expect([101, 103, 104]);
    await loader.finishAll();
    // 101 was there; 100 and 102 made room.
    expect(loader.started.slice(3)).toEqual([103, 104]);
    expect(tiles.tryAcquire(101)?.tile).toBe(101);
  });

  it('go on being read when a slot comes back', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    tiles.expect([100, 101, 102]);
    const lease = await use(100);
    expect(loader.pendingTiles).toEqual([101]);
    lease.release();
    expect(loader.pendingTiles).toEqual([101, 102]);
  });

  it('are forgotten when others are announced', async () => {
    const { loader, tiles } = await openTiles({ slots: 2 });
    tiles.expect([100, 101]);
    await loader.finishAll();
    tiles.expect([102, 103]);
    expect(loader.pendingTiles).toEqual([102, 103]);
  });

  it('give way to a tile that is asked for out of turn', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 2 });
    tiles.expect([100, 101]);
    await loader.finishAll();
    expect((await use(105)).tile).toBe(105);
  });
});

describe('warming', () => {
  const used = [104, 100, 107, 101].map((tile, i) => ({ tile, uses: 4 - i }));

  it('reads what was used most, two at a time, into free slots, and drops nothing', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    (await use(107)).release();
    const warming = tiles.warm(used);
    await settled();
    expect(loader.pendingTiles).toEqual([104, 100]);
    await loader.finishAll();
    await warming;
    expect(loader.started).toEqual([107, 104, 100]);
    expect([104, 100, 107, 101].map((tile) => tiles.holds(tile))).toEqual([true, true, true, false]);
  });

  it('waits while something else is being read', async () => {
    const { loader, tiles } = await openTiles({ slots: 3 });
    let wake = (): void => undefined;
    loader.busy = new Promise((resolve) => (wake = resolve));
    const warming = tiles.warm(used);
    await settled();
    expect(loader.pendingTiles).toEqual([]);
    wake();
    await settled();
    expect(loader.pendingTiles).toEqual([104, 100]);
    await loader.finishAll();
    await warming;
  });

  it('counts as use: what was used most in earlier runs stays longest', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    const warming = tiles.warm(used);
    await settled();
    await loader.finishAll();
    await warming;
    expect(tiles.usesOf(104)).toBeCloseTo(4, 12);
    // Of 104, 100 and 107 the last has the least uses, 2: the third use of 109 is half a use more.
    for (const tile of [109, 109, 109]) (await use(tile)).release();
    expect([104, 100, 109].every((tile) => tiles.holds(tile))).toBe(true);
  });

  it('ends with a read that fails, and when the tiles are closed', async () => {
    const { allocator, loader, tiles } = await openTiles({ slots: 3 });
    const failing = tiles.warm(used);
    await settled();
    await loader.fail(104);
    await loader.fail(100);
    await failing;
    expect(loader.started).toEqual([104, 100]);
    const warming = tiles.warm(used);
    await settled();
    const closing = tiles.close();
    await loader.finishAll();
    await Promise.all([warming, closing]);
    expect(loader.started).toEqual([104, 100, 104, 100]);
    expect(allocator.liveBytes).toBe(0);
  });
});

describe('a read that fails', () => {
  it('rejects who waits, frees the slot, and is tried again when asked for again', async () => {
    const { allocator, loader, tiles, use } = await openTiles({ slots: 1 });
    const failing = tiles.acquire(100).catch((error: Error) => error.message);
    await settled();
    await loader.fail(100);
    expect(await failing).toBe('the disk is gone');
    (await use(101)).release();
    (await use(100)).release();
    expect(loader.started).toEqual([100, 101, 100]);
    expect(allocator.liveBytes).toBe(PAGE);
  });

  it('ahead of use harms nobody until the tile is asked for', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    tiles.expect([100, 101]);
    await loader.fail(101);
    (await use(100)).release();
    await loader.finishAll();
    expect((await use(101)).tile).toBe(101);
  });
});

describe('resize and close', () => {
  it('keeps the tiles when there are more slots, and those used most when there are fewer', async () => {
    const { allocator, loader, tiles, use } = await openTiles({ slots: 2 });
    for (const tile of [100, 101]) (await use(tile)).release();
    await tiles.resize(4, PAGE);
    expect(allocator.liveBytes).toBe(4 * PAGE);
    for (const tile of [100, 101, 102, 103]) (await use(tile)).release();
    expect(loader.started).toEqual([100, 101, 102, 103]);
    await tiles.resize(2, PAGE);
    expect(allocator.liveBytes).toBe(2 * PAGE);
    for (const tile of [100, 101, 103]) (await use(tile)).release();
    expect(loader.started).toEqual([100, 101, 102, 103, 103]);
  });

  it('reads nothing more for a layer that was left when it shrinks', async () => {
    const { loader, tiles, use } = await openTiles({ slots: 3 });
    tiles.expect([100, 101, 102, 103]);
    const resized = tiles.resize(2, PAGE);
    await loader.finishAll();
    await resized;
    (await use(109)).release();
    await loader.finishAll();
    expect(loader.started).toEqual([100, 101, 102, 109]);
  });

  it('waits for reads in flight and gives everything back', async () => {
    const { allocator, loader, tiles } = await openTiles({ slots: 3 });
    tiles.expect([100, 101]);
    const refused = tiles.acquire(100).catch((error: unknown) => error);
    let closed = false;
    const closing = tiles.close().then(() => (closed = true));
    await settled();
    expect(closed).toBe(false);
    await loader.finishAll();
    await closing;
    expect(await refused).toMatchObject({ code: 'STORE_CLOSED' });
    expect(allocator.liveBytes).toBe(0);
  });

  it('refuses who waits for a slot', async () => {
    const { tiles, use } = await openTiles({ slots: 1 });
    const held = await use(100);
    const refused = tiles.acquire(101).catch((error: unknown) => error);
    await settled();
    held.release();
    await tiles.close();
    expect(await refused).toMatchObject({ code: 'STORE_CLOSED' });
  });
});

describe('tiles that are foreseen', () => {
  it('are read behind those that are expected, the first three that are missing', async () => {
    const { loader, tiles } = await openTiles({ count: 20, slots: 12 });
    tiles.expect([100, 101]);
    tiles.foresee([101, 110, 111, 112, 113]);
    expect(loader.pendingTiles).toEqual([100, 101, 110, 111, 112]);
  });

  it('are not read again when they are wanted, and counted where they are not', async () => {
    const { loader, tiles, use, wasted } = await openTiles({ count: 20, slots: 12 });
    tiles.expect([100]);
    tiles.foresee([110, 111]);
    await loader.finishAll();
    (await use(100)).release();
    tiles.expect([110, 112]);
    expect(wasted).toEqual([111]);
    expect(loader.pendingTiles).toEqual([112]);
    expect(tiles.tryAcquire(110)?.tile).toBe(110);
    tiles.expect([100]);
    expect(wasted).toEqual([111]);
  });

  it('take no slot from what is expected or lent', async () => {
    const { loader, tiles, use } = await openTiles({ count: 20, slots: 3 });
    const lent = await use(100);
    tiles.expect([101, 102]);
    tiles.foresee([110]);
    expect(loader.pendingTiles).toEqual([101, 102]);
    await loader.finishAll();
    for (const tile of [101, 102]) (await use(tile)).release();
    // 101 and 102 are done with.
    tiles.foresee([110]);
    expect(loader.pendingTiles).toEqual([110]);
    expect(stampOf(lent.memory)).toBe(100);
  });

  it('keep their slots until the choice is known', async () => {
    const { loader, tiles, use } = await openTiles({ count: 20, slots: 4 });
    tiles.expect([100]);
    tiles.foresee([110, 111]);
    await loader.finishAll();
    (await use(100)).release();
    (await use(105)).release();
    (await use(106)).release();
    expect([110, 111].every((tile) => tiles.holds(tile))).toBe(true);
  });
});
