// The lines are as doctest 2.4 prints them.
import { countDoctest } from '../count-doctest.mjs';

it('sums the totals of several programs', () => {
  const log = [
    '[doctest] doctest version is "2.4.9"',
    '[doctest] test cases:  12 |  12 passed | 0 failed | 0 skipped',
    '[doctest] assertions: 340 | 340 passed | 0 failed |',
    '[doctest] Status: SUCCESS!',
    '[doctest] test cases:   3 |   1 passed | 2 failed | 4 skipped',
  ].join('\n');
  expect(countDoctest(log)).toEqual({ passed: 12 + 1, failed: 0 + 2, skipped: 0 + 4 });
});

it('sees through colours', () => {
  expect(
    countDoctest('[doctest] test cases: 1 | \u001b[0;32m1 passed\u001b[0m | 0 failed | 0 skipped'),
  ).toEqual({
    passed: 1,
    failed: 0,
    skipped: 0,
  });
});

it('says when there is nothing to count', () => {
  expect(countDoctest('all good')).toBeUndefined();
});
