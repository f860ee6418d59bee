// The layout of the Hugging Face cache, shared with Python:
//
//   <cacheDir>/models--owner--name/refs/main                    the commit a branch pointed to
//                                 /blobs/<etag>                 contents; <etag>.incomplete while they arrive
//                                 /snapshots/<commit>/<file>    symbolic link to ../../blobs/<etag>

import { copyFile, link, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { COMMIT_HASH } from './hub-repo.js';

/** The folder of one repository in the cache. Names given to it must have been checked. */
export class HubCache {
  readonly folder: string;

  constructor(cacheDir: string, id: string) {
    this.folder = join(cacheDir, `models--${id.replaceAll('/', '--')}`);
  }

  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** The commit `revision` last pointed to, or undefined when this was never asked. */
  async readRef(revision: string): Promise<string | undefined> {
    if (COMMIT_HASH.test(revision)) return revision;
    try {
      const commit = (await readFile(this.ref(revision), 'utf8')).trim();
      return COMMIT_HASH.test(commit) ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = this.ref(revision);
    const temporary = `${path}.${process.pid}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, commit);
    await rename(temporary, path);
  }

  /** Makes `file` of a snapshot point to a blob. */
  async linkFile(commit: string, file: string, etag: string): Promise<void> {
    const pointer = join(this.snapshot(commit), file);
    const blob = this.blob(etag);
    await mkdir(dirname(pointer), { recursive: true });
    if (await isSameFile(pointer, blob)) return;
    await rm(pointer, { force: true });
    try {
      await symlink(relative(dirname(pointer), blob), pointer);
    } catch {
      // Windows without the privilege to make symbolic links: a hard link, or a copy as a last resort.
      await link(blob, pointer).catch(() => copyFile(blob, pointer));
    }
  }

  private ref(revision: string): string {
    return join(this.folder, 'refs', ...revision.split('/'));
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  try {
    const [first, second] = await Promise.all([stat(a), stat(b)]);
    return first.ino === second.ino && first.dev === second.dev;
  } catch {
    return false;
  }
}
