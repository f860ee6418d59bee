// The one way in: a path or a hub id to a checkpoint.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CheckpointError, reasonOf, systemCode } from './checkpoint-error.js';
import type { Checkpoint } from './checkpoint.js';
import { isHubId } from './hub/hub-repo.js';
import { locateHub, openHub, type OpenHubOptions } from './hub/open-hub.js';
import { localFiles, openFolder, type LocalFiles } from './open-folder.js';

/** For a folder only `signal` matters. */
export type OpenCheckpointOptions = OpenHubOptions;

/**
 * Opens a checkpoint: a folder if there is one of this name, otherwise `owner/name` on the hub, through the
 * cache shared with Python. Headers and small files are read, weights are only located.
 *
 * @example
 * const checkpoint = await openCheckpoint('meta-llama/Llama-3.1-8B', { onProgress: console.log });
 * checkpoint.tensors.get('lm_head.weight')?.byteOffset;
 *
 * @throws CheckpointError; `ABORTED` when `options.signal` fired, with its reason as `cause`.
 */
export async function openCheckpoint(
  idOrPath: string,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  try {
    options.signal?.throwIfAborted();
    if (await isFolder(idOrPath)) return await openFolder(idOrPath, resolve(idOrPath), options.signal);
    if (isHubId(idOrPath)) return await openHub(idOrPath, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    throw new CheckpointError('ABORTED', `Opening ${idOrPath} was aborted. What was downloaded is kept.`, {
      fields: { id: idOrPath },
      cause: options.signal.reason,
    });
  }
  const shown = JSON.stringify(idOrPath.slice(0, 300));
  if (/^[./~\\]|^[A-Za-z]:/.test(idOrPath)) {
    throw new CheckpointError(
      'FOLDER_NOT_FOUND',
      `Expected a checkpoint folder at ${shown} but there is none.`,
      {
        fields: { path: idOrPath },
      },
    );
  }
  throw new CheckpointError(
    'INVALID_ID',
    `Expected the path of a folder or a hub id such as "meta-llama/Llama-3.1-8B" but found ${shown}.`,
    { fields: { id: idOrPath } },
  );
}

/**
 * Where a checkpoint is on this machine, its weights there or not: a folder of this name, or the snapshot in the hub's
 * cache. Undefined when it would have to be downloaded first.
 *
 * @throws CheckpointError, as {@link openCheckpoint}
 */
export async function locateCheckpoint(
  idOrPath: string,
  options: OpenCheckpointOptions = {},
): Promise<LocalFiles | undefined> {
  if (await isFolder(idOrPath)) return localFiles(resolve(idOrPath));
  const folder = isHubId(idOrPath) ? await locateHub(idOrPath, options) : undefined;
  return folder === undefined ? undefined : localFiles(folder);
}

async function isFolder(path: string): Promise<boolean> {
  if (path === '' || path.includes('\0')) return false;
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (cause) {
    const absent: unknown[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];
    if (absent.includes(systemCode(cause))) return false;
    throw new CheckpointError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, {
      fields: { path },
      cause,
    });
  }
  throw new CheckpointError(
    'FOLDER_NOT_FOUND',
    `Expected the folder of a checkpoint but ${path} is a file. Give the folder that holds it and its config.json.`,
    { fields: { path } },
  );
}
