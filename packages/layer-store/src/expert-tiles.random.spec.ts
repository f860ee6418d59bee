import type { WeightMemory } from '@airllm/backend';
import { FIRST, openTiles } from '../test/expert-tiles.js';
import { createRandom, PAGE, settled, stampOf, type Waiting } from '../test/support.js';
import type { TileLease } from './lease.js';

/** Random layers of a random router, on a random disk. */
async function stress(seed: number, steps: number): Promise<void> {
  const random = createRandom(seed);
  const count = random.int(2, 20);
  const randomSlots = (): number => random.int(1, count);
  let slots = randomSlots();
  const { allocator, loader, tiles } = await openTiles({ count, slots });
  const held: { lease: TileLease; memory: WeightMemory }[] = [];
  loader.onStart = (memory) => {
    if (held.some((one) => one.memory === memory)) throw new Error('A leased tile is being overwritten');
  };
  const take = (lease: TileLease): void => void held.push({ lease, memory: lease.memory });
  const releaseOne = (): void => {
    held.splice(random.int(0, held.length - 1), 1)[0]?.lease.release();
  };
  let queue: number[] = [];
  let waiting: Waiting | undefined;
  let taken = 0;
  for (let step = 0; step < steps; step++) {
    if (waiting) {
      const stuck = loader.pending.length === 0 && held.length === 0;
      if (!waiting.lease && !waiting.error && stuck)
        throw new Error(`Nobody is left to wake who waits for tile ${waiting.tile}`);
      if (waiting.lease) {
        take(waiting.lease);
        taken += 1;
      }
      if (waiting.error && random.chance(0.5)) queue = [];
      else if (waiting.error) queue.unshift(waiting.tile);
      if (waiting.lease || waiting.error) waiting = undefined;
    } else if (random.chance(0.5)) {
      const tile = queue.shift();
      if (tile === undefined) {
        queue = Array.from({ length: random.int(1, 6) }, () => FIRST + random.int(0, count - 1));
        tiles.expect(queue);
      } else {
        const lease = tiles.tryAcquire(tile);
        if (lease) take(lease);
        else {
          const request: Waiting = { tile };
          waiting = request;
          void tiles.acquire(tile).then(
            (granted) => (request.lease = granted),
            (error: unknown) => (request.error = error),
          );
        }
      }
    } else if (random.chance(0.01)) {
      while (held.length > 0) releaseOne();
      slots = randomSlots();
      const resized = tiles.resize(slots, PAGE);
      await loader.finishAll();
      await resized;
    }
    if (loader.pending.length > 0 && random.chance(0.5)) {
      const read = random.pick(loader.pending);
      if (random.chance(0.05)) read.fail(new Error('the disk is gone'));
      else read.finish();
    }
    if (held.length > 0 && random.chance(0.4)) releaseOne();
    await settled();
    for (const { lease, memory } of held) expect(stampOf(memory)).toBe(lease.tile);
    expect(allocator.liveBytes).toBe(slots * PAGE);
  }
  expect(taken).toBeGreaterThan(0);
  while (held.length > 0) releaseOne();
  const closing = tiles.close();
  await loader.finishAll();
  await closing;
  expect(allocator.liveBytes).toBe(0);
}

describe('any order of routing, reading, failing, releasing and resizing', () => {
  it.each([1, 2, 3, 4, 5, 6])('leaves tiles in use alone and nobody waiting: seed %i', (seed) =>
    stress(seed, 1500),
  );
});
