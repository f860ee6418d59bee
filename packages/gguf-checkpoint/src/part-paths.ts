// The files of one model: one, or `…-00001-of-0000N.gguf` and those after it, as llama-gguf-split writes them.

import { basename, dirname, join } from 'node:path';
import { GgufError } from './gguf-error.js';
import { MAX_PARTS } from './limits.js';

const PART_NAME = /^(?<prefix>.+)-(?<number>\d{5})-of-(?<total>\d{5})\.gguf$/;

/**
 * Paths of all parts, the one with the metadata first. Any part names them all.
 *
 * @throws GgufError `INVALID_PARTS`
 */
export function partPaths(path: string): string[] {
  const { prefix, number, total } = PART_NAME.exec(basename(path))?.groups ?? {};
  if (prefix === undefined) return [path];
  const count = Number(total);
  if (count < 1 || count > MAX_PARTS || Number(number) < 1 || Number(number) > count) {
    throw new GgufError(
      'INVALID_PARTS',
      `Expected the name of a part, 1 to at most ${MAX_PARTS} of as many, but found ${basename(path)}.`,
      { fields: { path } },
    );
  }
  return Array.from({ length: count }, (_, index) =>
    join(dirname(path), `${prefix}-${String(index + 1).padStart(5, '0')}-of-${total}.gguf`),
  );
}
