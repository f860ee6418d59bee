// A hub id to a checkpoint in the cache: asked of the hub and downloaded where needed, or taken from the
// cache alone when offline, by choice or for want of a network.

import { stat } from 'node:fs/promises';
import { CheckpointError, reasonOf, systemCode } from '../checkpoint-error.js';
import type { Checkpoint } from '../checkpoint.js';
import { openFolder } from '../open-folder.js';
import { downloadSnapshot, type DownloadProgress } from './download-snapshot.js';
import { HubCache } from './hub-cache.js';
import { HubClient } from './hub-client.js';
import { checkRevision } from './hub-repo.js';
import { resolveHubSettings, type HubOptions } from './hub-settings.js';

export interface OpenHubOptions extends HubOptions {
  /** Branch, tag or commit. Default: `main`. */
  readonly revision?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Opens `id`, downloading what is missing. @throws CheckpointError, see its hub codes. */
export async function openHub(id: string, options: OpenHubOptions): Promise<Checkpoint> {
  const { endpoint, token, cacheDir, offline } = await resolveHubSettings(options);
  const revision = checkRevision(options.revision ?? 'main');
  const cache = new HubCache(cacheDir, id);
  if (offline) return openCached({ id, revision, cache, signal: options.signal });

  const client = new HubClient(id, { endpoint, token, signal: options.signal });
  let commit: string;
  try {
    commit = await client.resolveCommit(revision);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'HUB_UNREACHABLE') throw error;
    // No network: what was downloaded before is still good.
    return openCached({ id, revision, cache, signal: options.signal }).catch(() => {
      throw error;
    });
  }
  const { signal, onProgress } = options;
  const folder = await usingCache(cache, async () => {
    const snapshot = await downloadSnapshot({ id, commit, client, cache, signal, onProgress });
    // Last, so that a branch never names a snapshot that is not complete.
    await cache.writeRef(revision, commit);
    return snapshot;
  });
  return openFolder(id, folder, signal);
}

/**
 * The snapshot of `id` in the cache, complete or not: of the commit that `revision` is now, or was when the hub was last
 * asked, where it cannot be asked. Undefined when there is none. Nothing is downloaded.
 *
 * @throws CheckpointError, see its hub codes
 */
export async function locateHub(id: string, options: OpenHubOptions): Promise<string | undefined> {
  const { endpoint, token, cacheDir, offline } = await resolveHubSettings(options);
  const revision = checkRevision(options.revision ?? 'main');
  const cache = new HubCache(cacheDir, id);
  const client = new HubClient(id, { endpoint, token, signal: options.signal });
  const commit = offline
    ? await cache.readRef(revision)
    : await client.resolveCommit(revision).catch((error: unknown) => {
        if (error instanceof CheckpointError && error.code === 'HUB_UNREACHABLE')
          return cache.readRef(revision);
        throw error;
      });
  if (commit === undefined) return undefined;
  const folder = cache.snapshot(commit);
  return stat(folder).then(
    () => folder,
    () => undefined,
  );
}

/** Names the cache in errors of the file system: no permission, disk full, too many open files. */
async function usingCache<T>(cache: HubCache, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const code = systemCode(cause);
    if (cause instanceof CheckpointError || code === undefined) throw cause;
    throw new CheckpointError(
      code === 'ENOSPC' ? 'DISK_FULL' : 'CACHE_FAILED',
      `Could not write to the cache ${cache.folder}: ${reasonOf(cause)}. Set HF_HUB_CACHE to a folder that can be written.`,
      { fields: { folder: cache.folder }, cause },
    );
  }
}

interface CachedRequest {
  readonly id: string;
  readonly revision: string;
  readonly cache: HubCache;
  readonly signal: AbortSignal | undefined;
}

async function openCached({ id, revision, cache, signal }: CachedRequest): Promise<Checkpoint> {
  const commit = await cache.readRef(revision);
  let cause: unknown;
  if (commit !== undefined) {
    try {
      return await openFolder(id, cache.snapshot(commit), signal);
    } catch (error) {
      // A damaged file is reported as such; one that is absent was not downloaded.
      const absent: unknown[] = ['READ_FAILED', 'CONFIG_MISSING', 'NO_WEIGHTS', 'SHARD_MISSING'];
      if (!(error instanceof CheckpointError) || !absent.includes(error.code)) throw error;
      cause = error;
    }
  }
  throw new CheckpointError(
    'OFFLINE',
    `Expected ${id} (${revision}) in the cache ${cache.folder}, because offline mode is on, but it is ` +
      `${cause === undefined ? 'not there' : 'not complete'}. Unset HF_HUB_OFFLINE and run once with a network.`,
    { fields: { id, revision, folder: cache.folder }, cause },
  );
}
