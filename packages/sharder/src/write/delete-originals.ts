// Deletes original files, each once everything in it lies in shards that were read back and found right. In the hub cache
// the symbolic link of the snapshot goes, and the blob behind it unless another snapshot links to it.

import { lstat, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './durable-file.js';

/** Deletes a file, and what it links to. Absent files are no error: an earlier run may have deleted them. */
export async function deleteOriginal(path: string): Promise<void> {
  const target = await realpath(path).catch(() => undefined);
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  await rm(path, { force: true });
  if (isLink && target !== undefined && !(await isLinkedElsewhere(path, target)))
    await rm(target, { force: true });
  await syncFolder(dirname(path)).catch(() => undefined);
}

/** Whether another snapshot of the hub cache (`snapshots/<commit>/<file>`) leads to the same blob. */
async function isLinkedElsewhere(path: string, blob: string): Promise<boolean> {
  const snapshots = dirname(dirname(path));
  if (basename(snapshots) !== 'snapshots') return false;
  for (const commit of await readdir(snapshots)) {
    for (const name of await readdir(join(snapshots, commit)).catch(() => [])) {
      if ((await realpath(join(snapshots, commit, name)).catch(() => undefined)) === blob) return true;
    }
  }
  return false;
}

/**
 * Removes the index of a folder whose weights were all deleted: it would claim files that are gone. One that still names
 * a file that is there stays.
 */
export async function deleteStaleIndex(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/\.(?:safetensors|bin)\.index\.json$/.test(name)) continue;
    const files = weightFilesOf(await readFile(join(folder, name), 'utf8'));
    const present = await Promise.all(files.map((file) => exists(join(folder, file))));
    if (files.length > 0 && !present.includes(true)) await deleteOriginal(join(folder, name));
  }
}

function weightFilesOf(index: string): string[] {
  const parsed = JSON.parse(index) as { weight_map?: Record<string, unknown> };
  return [...new Set(Object.values(parsed.weight_map ?? {}))].filter((file) => typeof file === 'string');
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
