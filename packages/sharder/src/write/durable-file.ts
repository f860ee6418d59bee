// Names that survive a power cut: a file is complete under a temporary name before it gets its own.

import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toWriteError } from '../errors.js';

/** The name a file has while it is written. One writer works in a folder at a time, so it need not be unique. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.partial`);
}

export function isTemporaryName(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.partial');
}

/** @throws ShardError `DISK_FULL`, `TARGET_READ_ONLY`, `WRITE_FAILED`; nothing is left behind then */
export async function writeFileDurably(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw toWriteError(cause, path);
  }
}

/** Makes names in a folder reach the disk, where folders can be synced at all (not on Windows). */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
