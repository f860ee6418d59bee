// Storages that are alive together never overlap; others may share memory.

import { alignElements, placeInArena, type Lifetime } from './arena-plan.js';
import { Random } from './conformance/random.js';

function lifetime(elements: number, first: number, last: number): Lifetime {
  return { storage: { elements, offset: -1 }, first, last };
}

it('rounds to 64 bytes, 16 elements', () => {
  expect([0, 1, 16, 17].map(alignElements)).toEqual([0, 16, 16, 32]);
});

it('reuses the memory of a storage that is no longer read', () => {
  const a = lifetime(16, 0, 1);
  const b = lifetime(16, 1, 2);
  const c = lifetime(16, 2, 3);
  // a and b are both alive at command 1, b and c at 2, a and c never.
  expect(placeInArena([a, b, c], 0)).toBe(32);
  expect([a, b, c].map(({ storage }) => storage.offset)).toEqual([0, 16, 0]);
});

it('starts behind the inputs', () => {
  const a = lifetime(3, 0, 0);
  expect(placeInArena([a], 48)).toBe(64);
  expect(a.storage.offset).toBe(48);
});

it('never lets storages that are alive together overlap', () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = new Random(seed);
    const lifetimes = Array.from({ length: 1 + random.below(30) }, () => {
      const first = random.below(20);
      return lifetime(1 + random.below(100), first, first + random.below(6));
    });
    const base = 16 * random.below(3);
    const elements = placeInArena(lifetimes, base);
    for (const [i, a] of lifetimes.entries()) {
      expect(a.storage.offset).toBeGreaterThanOrEqual(base);
      expect(a.storage.offset % 16).toBe(0);
      expect(a.storage.offset + a.storage.elements).toBeLessThanOrEqual(elements);
      for (const b of lifetimes.slice(i + 1)) {
        const together = a.first <= b.last && b.first <= a.last;
        const apart =
          a.storage.offset + a.storage.elements <= b.storage.offset ||
          b.storage.offset + b.storage.elements <= a.storage.offset;
        expect(!together || apart).toBe(true);
      }
    }
  }
});
