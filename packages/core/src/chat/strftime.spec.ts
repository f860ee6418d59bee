import { strftime } from './strftime.js';

describe('strftime', () => {
  // Python: datetime(2024, 7, 4, 0, 5, 9).strftime(…) in the C locale.
  const date = new Date(2024, 6, 4, 0, 5, 9);

  it.each([
    ['%d %b %Y', '04 Jul 2024'],
    ['%Y-%m-%d', '2024-07-04'],
    ['%A, %B %d, %y', 'Thursday, July 04, 24'],
    ['%-d/%-m', '4/7'],
    ['%H:%M:%S %I %p', '00:05:09 12 AM'],
    ['%a %e %j', 'Thu  4 186'],
    ['%F %T', '2024-07-04 00:05:09'],
    ['100%% %Q', '100% %Q'],
  ])('formats %p as Python does', (format, expected) => {
    expect(strftime(date, format)).toBe(expected);
  });
});
