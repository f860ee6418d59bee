// Reads the totals that doctest programs print, one line a program:
//   [doctest] test cases:  12 |  11 passed | 1 failed | 0 skipped

const TOTALS =
  /\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|(?:\s*(\d+) skipped)?/g;
// eslint-disable-next-line no-control-regex -- doctest colours its output when forced to
const COLOUR = /\u001b\[[0-9;]*m/g;

/** Sums every totals line in `log` as `{ passed, failed, skipped }`; undefined when there is none. */
export function countDoctest(log) {
  const programs = [...log.replace(COLOUR, '').matchAll(TOTALS)];
  if (programs.length === 0) return undefined;
  const column = (index) => programs.reduce((total, match) => total + Number(match[index] ?? 0), 0);
  return { passed: column(1), failed: column(2), skipped: column(3) };
}
