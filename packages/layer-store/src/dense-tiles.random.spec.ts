import type { WeightMemory } from '@airllm/backend';
import {
  CountingAllocator,
  createRandom,
  makePlacement,
  makeTiles,
  ManualLoader,
  ManualPacker,
  settled,
  stampOf,
  type Waiting,
} from '../test/support.js';
import { DenseTiles } from './dense-tiles.js';
import type { TileLease } from './lease.js';
import { spreadOrder, type Placement } from './placement.js';

/** Random consumer, random disk: whatever the order of events, bytes in use stay what they are. */
async function stress(seed: number, steps: number, { packs }: { packs: boolean }): Promise<void> {
  const random = createRandom(seed);
  const count = packs ? random.int(12, 20) : random.int(1, 12);
  const randomPlacement = (): Placement => {
    const order = spreadOrder(count);
    // What is packed stays in host memory.
    const onDevice = packs ? 0 : random.int(0, count);
    const stays = random.int(0, count);
    const pinned = order.slice(onDevice, Math.max(onDevice, stays));
    const ringSlots = Math.max(onDevice, stays) === count ? 0 : random.int(2, 6);
    return makePlacement(count, pinned, ringSlots, order.slice(0, onDevice));
  };
  let placement = randomPlacement();
  const allocator = new CountingAllocator();
  const device = new CountingAllocator();
  let copying = 0;
  const loader = new ManualLoader();
  const { allocate } = allocator;
  const packer = new ManualPacker(allocate);
  const tiles = new DenseTiles(makeTiles(count), placement, {
    allocate,
    loader,
    prefetch: random.chance(0.7),
    pack: packs ? packer.pack : undefined,
    device: {
      pin: async (memory) => {
        copying += 1;
        await settled();
        copying -= 1;
        if (random.chance(0.02)) throw new Error('the device is full');
        return device.copy(memory);
      },
    },
  });
  const held: { lease: TileLease; memory: WeightMemory }[] = [];
  loader.onStart = (memory) => {
    if (held.some((one) => one.memory === memory)) throw new Error('A leased tile is being overwritten');
  };
  const take = (lease: TileLease): void => {
    held.push({ lease, memory: lease.memory });
    next = (lease.tile + 1) % count;
  };
  const releaseOne = (): void => {
    held.splice(random.int(0, held.length - 1), 1)[0]?.lease.release();
  };
  let next = 0;
  let waiting: Waiting | undefined;
  let taken = 0;
  for (let step = 0; step < steps; step++) {
    if (waiting) {
      const stuck = loader.pending.length === 0 && copying === 0 && held.length === 0;
      if (!waiting.lease && !waiting.error && stuck)
        throw new Error(`Nobody is left to wake who waits for tile ${waiting.tile}`);
      if (waiting.lease) take(waiting.lease);
      if (waiting.lease || waiting.error) {
        taken += waiting.lease ? 1 : 0;
        if (waiting.error && random.chance(0.5)) next = 0;
        waiting = undefined;
      }
    } else if (random.chance(0.5)) {
      if (random.chance(0.03)) next = random.chance(0.5) ? 0 : random.int(0, count - 1);
      const lease = tiles.tryAcquire(next);
      if (lease) take(lease);
      else {
        const request: Waiting = { tile: next };
        waiting = request;
        void tiles.acquire(next).then(
          (granted) => (request.lease = granted),
          (error: unknown) => (request.error = error),
        );
      }
    } else if (random.chance(0.01)) {
      while (held.length > 0) releaseOne();
      const before = Math.max(placement.totalBytes, allocator.liveBytes);
      const onDevice = Math.max(placement.deviceBytes, device.liveBytes);
      placement = randomPlacement();
      const replaced = tiles.replace(placement);
      while (packer.pending.length > 0) await packer.end('packed');
      await loader.finishAll();
      await replaced;
      expect(allocator.liveBytes).toBeLessThanOrEqual(Math.max(before, placement.totalBytes));
      expect(device.liveBytes).toBeLessThanOrEqual(Math.max(onDevice, placement.deviceBytes));
    }
    if (loader.pending.length > 0 && random.chance(0.5)) {
      const read = random.pick(loader.pending);
      if (random.chance(0.05)) read.fail(new Error('the disk is gone'));
      else read.finish();
    }
    if (packer.pending.length > 0 && random.chance(0.3))
      await packer.end(random.chance(0.8) ? 'packed' : 'too large');
    if (held.length > 0 && random.chance(0.4)) releaseOne();
    await settled();
    for (const { lease, memory } of held) expect(stampOf(memory)).toBe(lease.tile);
    expect(allocator.liveBytes).toBeLessThanOrEqual(placement.totalBytes);
    expect(device.liveBytes).toBeLessThanOrEqual(placement.deviceBytes);
    expect(loader.pending.length).toBeLessThanOrEqual(8);
  }
  expect(taken).toBeGreaterThan(0);
  expect(packer.started.length > 0).toBe(packs);
  while (held.length > 0) releaseOne();
  const closing = tiles.close();
  while (packer.pending.length > 0) await packer.end('packed');
  await loader.finishAll();
  await closing;
  expect([allocator.liveBytes, device.liveBytes]).toEqual([0, 0]);
}

describe('any order of asking, reading, failing, releasing and replacing', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('leaves tiles in use alone and nobody waiting: seed %i', (seed) =>
    stress(seed, 1500, { packs: false }),
  );

  it.each([1, 2, 3, 4, 5, 6])('does so too while tiles that stay are packed: seed %i', (seed) =>
    stress(seed, 1500, { packs: true }),
  );
});
