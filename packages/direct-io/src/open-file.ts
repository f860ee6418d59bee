// Opens files for reads past the page cache, and says why where that cannot be.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { tryLoadBinding } from './open-read-queue.js';
import type { ReadableFile } from './read-queue.js';
import { codeOf } from './system-error.js';

export interface OpenedFile {
  readonly file: ReadableFile;
  /** Why reads of it go through the page cache; undefined when they do not. */
  readonly bufferedReason: string | undefined;
}

export const REFUSED = 'the file system refuses direct reads';

/**
 * Opens a file for direct reads: `O_DIRECT`, or `F_NOCACHE` on macOS. Where neither is to be had it is open for buffered
 * ones. The caller closes `file.handle`.
 *
 * @throws the errors of `fs.open`
 */
export async function openFile(path: string, options: { direct: boolean }): Promise<OpenedFile> {
  if (!options.direct) return openBuffered(path, undefined);
  // Absent from constants on macOS and Windows.
  const flag: number | undefined = constants.O_DIRECT;
  if (flag === undefined) return openUncached(path);
  try {
    const handle = await open(path, constants.O_RDONLY | flag);
    return { file: { path, handle, direct: true }, bufferedReason: undefined };
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
    return openBuffered(path, REFUSED);
  }
}

async function openBuffered(path: string, bufferedReason: string | undefined): Promise<OpenedFile> {
  const handle = await open(path, constants.O_RDONLY);
  return { file: { path, handle, direct: false }, bufferedReason };
}

async function openUncached(path: string): Promise<OpenedFile> {
  const opened = await openBuffered(path, `no O_DIRECT on ${process.platform}`);
  const binding = tryLoadBinding();
  const { handle } = opened.file;
  if (typeof binding === 'string' || !binding.bypassCache(handle.fd)) return opened;
  return { file: { path, handle, direct: true }, bufferedReason: undefined };
}
