// Figures of two elements, by hand: x = (3, 4), y = (3, 5).

import { addSums, errorFigures, NO_ERROR } from './error-figures.js';

it('follow from the sums', () => {
  const first = { source: 9, error: 0, cross: 0, largest: 0 };
  const second = { source: 16, error: 1, cross: -4, largest: 1 };
  const figures = errorFigures(addSums(first, second));
  expect(figures.relativeRms).toBeCloseTo(Math.sqrt(1 / 25), 12);
  expect(figures.maxAbs).toBe(1);
  expect(figures.cosine).toBeCloseTo((3 * 3 + 4 * 5) / Math.sqrt(25 * 34), 12);
});

it('of zeros kept as zeros are those of no error', () => {
  expect(errorFigures(NO_ERROR)).toEqual({ relativeRms: 0, maxAbs: 0, cosine: 1 });
});
