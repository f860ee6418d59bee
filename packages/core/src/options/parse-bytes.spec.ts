import { parseBytes } from './parse-bytes.js';

describe('parseBytes', () => {
  it.each<[string | number, number]>([
    ['512MB', 512 * 10 ** 6],
    ['600MiB', 600 * 2 ** 20],
    ['1.5GB', 15 * 10 ** 8],
    ['1.1MB', 1_100_000],
    ['0.29GB', 290_000_000],
    [' 2 gib ', 2 * 2 ** 30],
    ['64kb', 64_000],
    ['3TiB', 3 * 2 ** 40],
    ['12345', 12345],
    ['10B', 10],
    ['.5KiB', 512],
    [1e9, 1e9],
    [1536.9, 1536],
  ])('reads %p as %i bytes', (size, bytes) => {
    expect(parseBytes(size)).toBe(bytes);
  });

  it.each(
    [
      ['', 'MB', '5XB', '-1MB', '1e3MB', '0', '1.2.3MB', '5 M B', 'constructor', '99999TB'],
      [0, -5, NaN, Infinity],
    ].flat(),
  )('refuses %p', (size) => {
    expect(() => parseBytes(size, 'memory.host')).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        fields: expect.objectContaining({ option: 'memory.host', found: size }),
      }),
    );
  });
});
