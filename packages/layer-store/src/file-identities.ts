// Notices when a file that weights are read from is no longer the one that was opened: replaced by another, or written to.
// Weights of two versions in one model would be wrong without any sign of it.

import { stat, type FileHandle } from 'node:fs/promises';
import { LayerStoreError } from './errors.js';

/** What tells one version of a file from another. */
export interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export class FileIdentities {
  readonly #known = new Map<string, Identity>();

  /** Remembers what was opened first; returns what is open now. */
  async note(path: string, handle: FileHandle): Promise<Identity> {
    const opened = await handle.stat({ bigint: true });
    if (!this.#known.has(path)) this.#known.set(path, opened);
    return opened;
  }

  /**
   * A file that was removed is still there for those who have it open, so it counts as unchanged.
   *
   * @throws LayerStoreError `FILE_CHANGED`
   */
  async expectUnchanged(path: string): Promise<void> {
    const known = this.#known.get(path);
    const current = await stat(path, { bigint: true }).catch(() => undefined);
    if (known && current) expectSame(path, known, current);
  }
}

function expectSame(path: string, known: Identity, current: Identity): void {
  const { dev, ino, size, mtimeNs } = current;
  const replaced = dev !== known.dev || ino !== known.ino;
  if (!replaced && size === known.size && mtimeNs === known.mtimeNs) return;
  throw new LayerStoreError(
    'FILE_CHANGED',
    `Expected ${path} to stay as it was when it was opened but it was ${replaced ? 'replaced by another file' : 'written to'} while in use; open the model again`,
    { fields: { path, replaced, expectedBytes: Number(known.size), foundBytes: Number(size) } },
  );
}
