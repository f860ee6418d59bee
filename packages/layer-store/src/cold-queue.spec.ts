import { createRandom } from '../test/support.js';
import { ColdQueue } from './cold-queue.js';

const any = (): boolean => true;

describe('ColdQueue', () => {
  it('gives the coldest first, of equal heat the one set longest ago', () => {
    const queue = new ColdQueue();
    for (const [tile, heat] of [
      [1, 5],
      [2, 3],
      [3, 3],
      [4, -Infinity],
    ] as const)
      queue.set(tile, heat);
    queue.set(2, 3);
    expect([any, any, any, any, any].map((may) => queue.take(may))).toEqual([4, 3, 2, 1, undefined]);
  });

  it('passes over those that may not go, and keeps them', () => {
    const queue = new ColdQueue();
    for (const tile of [1, 2, 3]) queue.set(tile, tile);
    expect(queue.take((tile) => tile > 1)).toBe(2);
    expect(queue.take((tile) => tile > 9)).toBeUndefined();
    expect([queue.take(any), queue.take(any)]).toEqual([1, 3]);
  });

  it('forgets what is deleted', () => {
    const queue = new ColdQueue();
    queue.set(1, 1);
    queue.set(2, 2);
    queue.delete(1);
    expect(queue.take(any)).toBe(2);
  });

  it.each([1, 2, 3])('agrees with a list that is searched, whatever happens: seed %i', (seed) => {
    const random = createRandom(seed);
    const queue = new ColdQueue();
    let list: { tile: number; heat: number }[] = [];
    for (let step = 0; step < 5000; step++) {
      const tile = random.int(0, 40);
      if (random.chance(0.7)) {
        const heat = random.int(0, 20);
        queue.set(tile, heat);
        list = [...list.filter((entry) => entry.tile !== tile), { tile, heat }];
      } else if (random.chance(0.2)) {
        queue.delete(tile);
        list = list.filter((entry) => entry.tile !== tile);
      } else {
        const blocked = random.int(0, 3);
        const may = (candidate: number): boolean => candidate % 4 !== blocked;
        // The sort is stable: the earlier of equals stays first.
        const [expected] = list.filter((entry) => may(entry.tile)).sort((a, b) => a.heat - b.heat);
        expect(queue.coldest(may)).toBe(expected?.tile);
        expect(queue.take(may)).toBe(expected?.tile);
        list = list.filter((entry) => entry !== expected);
      }
    }
  });
});
