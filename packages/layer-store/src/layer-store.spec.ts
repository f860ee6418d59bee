import { truncate, writeFile } from 'node:fs/promises';
import type { WeightSlice } from '@airllm/backend';
import { checkpoint, dense, expertRefs, layers, VOCAB } from '../test/small-checkpoint.js';
import { allocatePages, CountingAllocator, createRandom } from '../test/support.js';
import type { LayerStore } from './layer-store.js';
import { openLayerStore } from './open-layer-store.js';
import type { StoreLayout } from './store-layout.js';

/** All bytes of the tiles that can be streamed. */
const everything = (layout: StoreLayout): number =>
  layout.minimumBytes +
  [...layout.denseTiles, ...layout.expertTiles.values()].reduce((sum, tile) => sum + tile.bufferBytes, 0);

const bytesOf = ({ memory, byteOffset, dtype, rows, cols }: WeightSlice): Buffer =>
  Buffer.from(memory.bytes.slice(byteOffset, byteOffset + rows * cols * (dtype === 'f32' ? 4 : 2)));

/** The matrix, tile by tile, as a runner takes it. */
async function readMatrix(store: LayerStore, name: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (const part of store.parts(name)) {
    const lease = store.tryAcquire(part.tile) ?? (await store.acquire(part.tile));
    blocks.push(bytesOf(store.slice(lease, part)));
    lease.release();
  }
  return Buffer.concat(blocks);
}

/** Every tile once, in order, as a pass does. */
async function readDense(store: LayerStore, layout: StoreLayout): Promise<void> {
  for (const { index } of layout.denseTiles) {
    const lease = store.tryAcquire(index) ?? (await store.acquire(index));
    lease.release();
  }
}

async function readEmbeddings(store: LayerStore, ids: readonly number[]): Promise<Buffer[]> {
  const rows: Buffer[] = [];
  await store.readEmbeddings(ids, async (tables, start) => {
    expect(start).toBe(rows.length);
    expect(tables.every((table) => table.rows === 1)).toBe(true);
    rows.push(...tables.map(bytesOf));
  });
  return rows;
}

it('makes the slices of tiles that stay once', async () => {
  const { layout } = await checkpoint('slices');
  const allocator = new CountingAllocator();
  const budgetBytes = everything(layout);
  const store = await openLayerStore({ layout, budgetBytes, allocate: allocator.allocate });
  const [part] = store.parts('head');
  if (!part) throw new Error('Expected a head');
  const slices: WeightSlice[] = [];
  for (let pass = 0; pass < 2; pass++) {
    const lease = await store.acquire(part.tile);
    expect(lease.streamed).toBe(false);
    slices.push(store.slice(lease, part));
    lease.release();
  }
  expect(slices[1]).toBe(slices[0]);
  await store[Symbol.asyncDispose]();
});

describe.each([
  ['the smallest budget', 0],
  ['half of the weights', 0.5],
  ['all weights', 1],
])('a store with %s', (_, share) => {
  it.each([
    ['ordinary memory', true],
    ['ordinary memory', false],
    ['page-aligned memory', true],
  ])('gives the bytes of the file: %s, prefetch %s', async (kind, prefetch) => {
    const { layout, bytesOf: fileBytes } = await checkpoint('bytes');
    const allocator = new CountingAllocator();
    const budgetBytes = Math.floor(layout.minimumBytes + share * (everything(layout) - layout.minimumBytes));
    const allocate = kind === 'ordinary memory' ? allocator.allocate : allocatePages;
    const store = await openLayerStore({ layout, budgetBytes, allocate, prefetch });
    for (let pass = 0; pass < 2; pass++) {
      for (const layer of layers) {
        for (const { name, shape } of dense(layer)) {
          const bytes = shape.length === 1 ? bytesOf(store.vector(name)) : await readMatrix(store, name);
          expect(bytes.equals(fileBytes(name))).toBe(true);
        }
        const routed = [4, 0, 3].flatMap((expert) => Object.values(expertRefs(layer)[expert] ?? {}));
        store.expectExperts(routed.map(({ name }) => name));
        for (const { name } of routed)
          expect((await readMatrix(store, name)).equals(fileBytes(name))).toBe(true);
      }
      expect((await readMatrix(store, 'head')).equals(fileBytes('head'))).toBe(true);
    }
    await store[Symbol.asyncDispose]();
    expect(allocator.liveBytes).toBe(0);
    expect(allocator.peakBytes).toBeLessThanOrEqual(budgetBytes);
  });
});

describe('embedding rows', () => {
  it.each([
    ['one', [17]],
    ['the first and the last, which ends the file', [0, VOCAB - 1]],
    ['the same one again', [5, 9, 5, 5]],
    ['as many as are read at once', Array.from({ length: 64 }, (_, i) => i)],
    ['more than are read at once', Array.from({ length: 150 }, (_, i) => (i * 7) % VOCAB)],
    ['none', []],
  ])('are read by row: %s', async (_, ids) => {
    const { layout, bytesOf: fileBytes } = await checkpoint('rows');
    const { allocate } = new CountingAllocator();
    await using store = await openLayerStore({ layout, budgetBytes: layout.minimumBytes, allocate });
    const { rowBytes } = layout.embedding;
    expect(layout.embedding.byteOffset % rowBytes).not.toBe(0);
    const expected = ids.map((id) => fileBytes('embedding').subarray(id * rowBytes, (id + 1) * rowBytes));
    expect(await readEmbeddings(store, ids)).toEqual(expected);
    // A row of 100 or 200 bytes lies in one page or two; rows beside each other are read together.
    expect(store.embeddingStats.bytesRead).toBeGreaterThanOrEqual(new Set(ids).size * rowBytes);
    expect(store.embeddingStats.bytesRead).toBeLessThanOrEqual(ids.length * 8192);
  });
});

describe('stats', () => {
  it('count pinned tiles once and streamed tiles once a pass', async () => {
    const { layout } = await checkpoint('stats', false);
    const allocator = new CountingAllocator();
    const budgetBytes = Math.floor((layout.minimumBytes + everything(layout)) / 2);
    await using store = await openLayerStore({
      layout,
      budgetBytes,
      allocate: allocator.allocate,
      prefetch: false,
    });
    const { pinned } = store.placement;
    expect(new Set(pinned)).toEqual(new Set([true, false]));
    const passes = 3;
    for (let pass = 0; pass < passes; pass++) await readDense(store, layout);
    store.stats.forEach((stats, stage) => {
      const tiles = layout.denseTiles.filter((tile) => tile.stage === stage);
      const expected = tiles.reduce(
        (sum, tile) => sum + tile.bufferBytes * (pinned[tile.index] ? 1 : passes),
        0,
      );
      expect(stats.name).toBe(layout.stageNames[stage]);
      expect(stats.bytesRead).toBe(expected);
      const reads = tiles.reduce((sum, tile) => sum + (pinned[tile.index] ? 1 : passes), 0);
      expect([stats.misses, stats.hits]).toEqual([reads, tiles.length * passes - reads]);
    });
  });

  it('count with read-ahead what was read, at most a ring more than the passes took', async () => {
    const { layout } = await checkpoint('stats-ahead', false);
    const { allocate } = new CountingAllocator();
    const store = await openLayerStore({ layout, budgetBytes: layout.minimumBytes, allocate });
    for (let pass = 0; pass < 3; pass++) await readDense(store, layout);
    await store[Symbol.asyncDispose]();
    const streamed = 3 * layout.denseTiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);
    const read = store.stats.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    const { ringSlots, ringSlotBytes } = store.placement;
    expect(read).toBeGreaterThanOrEqual(streamed);
    expect(read).toBeLessThanOrEqual(streamed + ringSlots * ringSlotBytes);
    const asked = store.stats.reduce((sum, { hits, misses }) => sum + hits + misses, 0);
    expect(asked).toBe(3 * layout.denseTiles.length);
  });
});

describe('resize', () => {
  it('stays within the larger budget throughout and within the new one afterwards', async () => {
    const { layout } = await checkpoint('resize');
    const random = createRandom(3);
    const allocator = new CountingAllocator();
    const budgets = Array.from({ length: 25 }, () => random.int(layout.minimumBytes, everything(layout)));
    let before = everything(layout);
    const { allocate } = allocator;
    const store = await openLayerStore({ layout, budgetBytes: before, allocate });
    for (const budget of budgets) {
      await readDense(store, layout);
      allocator.peakBytes = 0;
      await store.resize(budget);
      expect(allocator.peakBytes).toBeLessThanOrEqual(Math.max(before, budget));
      expect(allocator.liveBytes).toBeLessThanOrEqual(budget);
      await readDense(store, layout);
      expect(allocator.liveBytes).toBeLessThanOrEqual(budget);
      before = budget;
    }
    await store[Symbol.asyncDispose]();
    expect(allocator.liveBytes).toBe(0);
  });

  it('reads nothing again that may stay', async () => {
    const { layout } = await checkpoint('resize-keep', false);
    const { allocate } = new CountingAllocator();
    const open = { layout, budgetBytes: everything(layout), allocate, prefetch: false };
    await using store = await openLayerStore(open);
    await readDense(store, layout);
    const readBefore = store.stats.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    await store.resize(Math.floor((layout.minimumBytes + everything(layout)) / 2));
    await readDense(store, layout);
    const streamed = layout.denseTiles.filter(({ index }) => !store.placement.pinned[index]);
    const expected = streamed.reduce((sum, tile) => sum + tile.bufferBytes, 0);
    expect(store.stats.reduce((sum, { bytesRead }) => sum + bytesRead, 0) - readBefore).toBe(expected);
  });

  it('refuses less than the minimum and changes nothing', async () => {
    const { layout } = await checkpoint('resize-small');
    const { allocate } = new CountingAllocator();
    await using store = await openLayerStore({ layout, budgetBytes: everything(layout), allocate });
    const { placement } = store;
    await expect(store.resize(layout.minimumBytes - 1)).rejects.toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      fields: { minimumBytes: layout.minimumBytes },
    });
    expect(store.placement).toBe(placement);
    await readDense(store, layout);
  });
});

describe('openLayerStore', () => {
  it('refuses a budget below the minimum before it takes memory', async () => {
    const { layout } = await checkpoint('small');
    const allocator = new CountingAllocator();
    const budgetBytes = layout.minimumBytes - 1;
    const { allocate } = allocator;
    await expect(openLayerStore({ layout, budgetBytes, allocate })).rejects.toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      fields: { minimumBytes: layout.minimumBytes, budgetBytes },
    });
    expect(allocator.allocations).toBe(0);
  });

  it('gives everything back when the vectors cannot be read', async () => {
    const { layout, path } = await checkpoint('no-vectors');
    await truncate(path, 10);
    const allocator = new CountingAllocator();
    const { allocate } = allocator;
    const budgetBytes = layout.minimumBytes;
    await expect(openLayerStore({ layout, budgetBytes, allocate })).rejects.toMatchObject({
      code: 'READ_FAILED',
    });
    expect(allocator.liveBytes).toBe(0);
  });

  it('gives everything back when memory runs out on the way', async () => {
    const { layout } = await checkpoint('no-memory');
    const budgetBytes = layout.minimumBytes;
    for (let after = 0; ; after++) {
      const allocator = new CountingAllocator();
      const allocate = (byteLength: number) => {
        if (allocator.allocations === after) throw new Error('out of memory');
        return allocator.allocate(byteLength);
      };
      const opened = await openLayerStore({ layout, budgetBytes, allocate, prefetch: false }).catch(
        (error: Error) => error,
      );
      if (!(opened instanceof Error)) {
        expect(after).toBeGreaterThan(4);
        await opened[Symbol.asyncDispose]();
        return;
      }
      expect(opened.message).toBe('out of memory');
      expect(allocator.liveBytes).toBe(0);
    }
  });
});

describe('a disk that fails', () => {
  it('rejects with file and offset; the store works on when the file is back', async () => {
    const { layout, path, file, bytesOf: fileBytes } = await checkpoint('disk');
    const allocator = new CountingAllocator();
    const { allocate } = allocator;
    await using store = await openLayerStore({ layout, budgetBytes: layout.minimumBytes, allocate });
    await readDense(store, layout);
    await truncate(path, 4096);
    await expect(readDense(store, layout).then(() => readDense(store, layout))).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path },
    });
    await writeFile(path, file);
    await readDense(store, layout);
    for (const layer of layers)
      for (const { name, shape } of dense(layer))
        if (shape.length === 2) expect((await readMatrix(store, name)).equals(fileBytes(name))).toBe(true);
  });
});

describe('names that are not the model’s', () => {
  it('are refused', async () => {
    const { layout } = await checkpoint('names');
    const { allocate } = new CountingAllocator();
    await using store = await openLayerStore({ layout, budgetBytes: layout.minimumBytes, allocate });
    expect(() => store.vector('l0.q')).toThrow('Expected a vector of this model but received l0.q');
    expect(() => store.parts('l0.norm')).toThrow('Expected a matrix of this model but received l0.norm');
    const none = layout.denseTiles.length + layout.expertTiles.size;
    await expect(store.acquire(none)).rejects.toThrow(`Expected a tile of this model but received ${none}`);
  });
});

describe('what the store tells', () => {
  it('its budget, the memory that reads came to, and seconds without a read', async () => {
    const { layout } = await checkpoint('told');
    const allocator = new CountingAllocator();
    const budgetBytes = layout.minimumBytes + 3 * 8192;
    await using store = await openLayerStore({
      layout,
      budgetBytes,
      allocate: allocator.allocate,
      prefetch: false,
    });
    expect(store.budgetBytes).toBe(budgetBytes);
    expect(store.writtenBytes).toBe(layout.fixedBytes);
    const before = store.idleSeconds;
    (await store.acquire(0)).release();
    expect(store.writtenBytes).toBeGreaterThan(layout.fixedBytes);
    expect(store.writtenBytes).toBeLessThanOrEqual(allocator.liveBytes);
    expect(store.idleSeconds).toBeGreaterThanOrEqual(before);
    await store.resize(layout.minimumBytes);
    expect(store.budgetBytes).toBe(layout.minimumBytes);
    expect(store.writtenBytes).toBe(layout.fixedBytes);
  });
});
