import { expNonPositive } from './exp-non-positive.js';

describe('expNonPositive', () => {
  it('agrees with Math.exp to 1e-12', () => {
    let worst = 0;
    for (let i = 0; i < 50_000; i++) {
      const x = -i * 0.013999;
      worst = Math.max(worst, Math.abs(expNonPositive(x) / Math.exp(x) - 1));
    }
    expect(worst).toBeLessThan(1e-12);
  });

  it('is exact at 0 and 0 far below', () => {
    expect([0, -0, -701, -1e300, -Infinity].map(expNonPositive)).toEqual([1, 1, 0, 0, 0]);
  });
});
