// A repository's needed files into the cache: small ones first, then the weights the index names.
// What is in the cache already is not asked for again.

import { mkdir, stat, statfs } from 'node:fs/promises';
import { CheckpointError } from '../checkpoint-error.js';
import { chooseWeights } from '../choose-weights.js';
import { readIndex } from '../read-index.js';
import { downloadBlob } from './download-blob.js';
import type { HubCache } from './hub-cache.js';
import type { HubClient, HubFile } from './hub-client.js';
import { isNeededFile } from './needed-files.js';
import { runLimited } from './run-limited.js';

/** Reported as bytes of one file arrive; several files arrive at once. */
export interface DownloadProgress {
  readonly file: string;
  /** Of this file, those of earlier runs included. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface SnapshotRequest {
  readonly id: string;
  readonly commit: string;
  readonly client: HubClient;
  readonly cache: HubCache;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Enough to fill a fast line; the hub limits each connection. */
const MAX_CONNECTIONS = 4;

/** Downloads what is missing. Returns the folder of the snapshot. */
export async function downloadSnapshot(request: SnapshotRequest): Promise<string> {
  const { id, commit, client, cache } = request;
  const listed = new Map((await client.listFiles(commit)).map((file) => [file.name, file]));
  const folder = cache.snapshot(commit);

  const weights = chooseWeights([...listed.keys()], `${id} on the hub`);
  const small = [...listed.values()].filter(({ name }) => isNeededFile(name));
  await fetchFiles(
    request,
    weights.kind === 'index' ? [...small, findFile(listed, weights.file, id)] : small,
  );

  const names =
    weights.kind === 'index' ? new Set((await readIndex(folder, weights.file)).values()) : [weights.file];
  await fetchFiles(
    request,
    Array.from(names, (name) => findFile(listed, name, id)),
  );
  return folder;
}

function findFile(listed: ReadonlyMap<string, HubFile>, name: string, id: string): HubFile {
  const file = listed.get(name);
  if (file !== undefined) return file;
  throw new CheckpointError('SHARD_MISSING', `Expected ${name} in ${id} on the hub, as its index says.`, {
    fields: { file: name, id },
  });
}

async function fetchFiles(request: SnapshotRequest, files: readonly HubFile[]): Promise<void> {
  const { cache, client, commit, onProgress } = request;
  const missing = new Map<string, HubFile>(); // By blob: two files may have the same contents.
  for (const file of files) {
    if ((await sizeOf(cache.blob(file.etag))) !== file.bytes) missing.set(file.etag, file);
  }
  await checkDiskSpace(cache, [...missing.values()]);
  await runLimited(
    [...missing.values()],
    { limit: MAX_CONNECTIONS, signal: request.signal },
    (file, signal) =>
      downloadBlob({
        file,
        path: cache.blob(file.etag),
        signal,
        fetchFrom: (offset) => client.openFile(commit, file.name, { offset, signal }),
        onBytes: (receivedBytes) => onProgress?.({ file: file.name, receivedBytes, totalBytes: file.bytes }),
      }),
  );
  for (const file of files) await cache.linkFile(commit, file.name, file.etag);
}

async function checkDiskSpace(cache: HubCache, files: readonly HubFile[]): Promise<void> {
  let needed = 0;
  for (const file of files)
    needed += file.bytes - ((await sizeOf(`${cache.blob(file.etag)}.incomplete`)) ?? 0);
  if (needed <= 0) return;
  await mkdir(cache.folder, { recursive: true });
  const { bavail, bsize } = await statfs(cache.folder);
  if (needed > bavail * bsize) {
    throw new CheckpointError(
      'DISK_FULL',
      `Expected ${needed} free bytes for the download in ${cache.folder} but found ${bavail * bsize}. ` +
        'Free some space, or set HF_HUB_CACHE to a larger disk.',
      { fields: { neededBytes: needed, freeBytes: bavail * bsize, folder: cache.folder } },
    );
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
