// Sizes as people write them. (The `bytes` package reads MB as 2^20, so it cannot be used: a budget is a promise.)

import { CoreError } from '../errors.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/**
 * A number of bytes, rounded down: `'512MB'` is 512 · 10^6, `'600MiB'` is 600 · 2^20, `1e9` is itself. Units are
 * B, KB, MB, GB, TB and KiB, MiB, GiB, TiB, in any case, with or without a space before them.
 *
 * @param option names the value in the error
 * @throws {@link CoreError} `INVALID_OPTION` unless it is a size of at least one byte
 * @example
 * parseBytes('1.5GB'); // 1500000000
 */
export function parseBytes(size: string | number, option = 'size'): number {
  const bytes = typeof size === 'number' ? size : parseText(size);
  if (!(bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER)) {
    const expected = "a size such as '512MB', '600MiB', '1.5GB' or a number of bytes";
    throw new CoreError(
      'INVALID_OPTION',
      `Expected ${expected} for ${option} but received ${JSON.stringify(size)}.`,
      {
        fields: { option, expected, found: size },
      },
    );
  }
  return Math.floor(bytes);
}

function parseText(size: string): number {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(size.slice(0, 64));
  const unit = UNITS[match?.[2]?.toUpperCase() ?? 'none'];
  // Binary floats put 1.1 * 1e6 just below or above the whole number that is meant.
  return unit === undefined ? NaN : Number((Number(match?.[1]) * unit).toPrecision(15));
}
