import { ExpertHeat, HALF_LIFE_PASSES } from './expert-heat.js';

function passes(heat: ExpertHeat, count: number): void {
  for (let i = 0; i < count; i++) heat.nextPass();
}

describe('ExpertHeat', () => {
  it('counts uses, each half after the half-life', () => {
    const heat = new ExpertHeat();
    heat.use(7);
    heat.use(7);
    expect(heat.usesOf(7)).toBeCloseTo(2, 12);
    passes(heat, HALF_LIFE_PASSES);
    expect(heat.usesOf(7)).toBeCloseTo(1, 12);
    heat.use(7);
    // 2 · ½ + 1
    expect(heat.usesOf(7)).toBeCloseTo(2, 12);
  });

  it('puts what is used often before what was used last, for a while', () => {
    const heat = new ExpertHeat();
    for (let i = 0; i < 3; i++) heat.use(1);
    heat.nextPass();
    heat.use(2);
    expect(heat.of(1)).toBeGreaterThan(heat.of(2));
    // After a half-life of 16 passes and one more, three uses count 3 · 2^(−33/16) = 0.72 beside one of 17/16 ago and a new one.
    passes(heat, 2 * HALF_LIFE_PASSES);
    heat.use(2);
    expect(heat.of(1)).toBeLessThan(heat.of(2));
  });

  it('takes what was never used for the coldest, in any number of passes', () => {
    const heat = new ExpertHeat();
    heat.use(1);
    passes(heat, 100_000);
    expect(heat.of(2)).toBe(-Infinity);
    expect(heat.usesOf(2)).toBe(0);
    heat.use(3);
    // What 1 was worth is less than any number by now; its order is not lost.
    expect(heat.usesOf(1)).toBe(0);
    expect([2, 1, 3].map((tile) => heat.of(tile))).toEqual([-Infinity, 0, 100_000 / HALF_LIFE_PASSES]);
  });

  it('goes on from the uses of an earlier run', () => {
    const heat = new ExpertHeat();
    passes(heat, 5);
    heat.remember(4, 2.5);
    heat.remember(5, 0);
    heat.use(4);
    expect(heat.usesOf(4)).toBeCloseTo(3.5, 12);
    expect(heat.usesOf(5)).toBe(0);
  });
});
