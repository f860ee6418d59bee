// One file from the hub into the cache: continued where an earlier attempt stopped, checked against its
// hash as it arrives, synced, then renamed. Bytes kept in `<blob>.incomplete` survive a crash or an abort.

import { createHash, type Hash } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CheckpointError, reasonOf } from '../checkpoint-error.js';
import type { HubFile } from './hub-client.js';

export interface DownloadRequest {
  readonly file: HubFile;
  /** Where the blob goes when it is complete. */
  readonly path: string;
  readonly signal: AbortSignal;
  /** Asks for the file from an offset: 206 with the rest or 200 with all. */
  readonly fetchFrom: (offset: number) => Promise<Response>;
  readonly onBytes: (receivedBytes: number) => void;
}

/** Attempts in a row that get no further before giving up; one that does starts the count again. */
const MAX_FRUITLESS_ATTEMPTS = 4;
const FIRST_RETRY_MS = 250;
const REHASH_CHUNK_BYTES = 2 ** 20;

/**
 * Downloads a blob.
 *
 * @throws CheckpointError `CORRUPT_DOWNLOAD` (what arrived does not have the hash the hub lists), `HUB_UNREACHABLE`,
 *   `HUB_FAILED`, `ACCESS_DENIED`, `REPO_NOT_FOUND`; the reason of the signal when aborted.
 */
export async function downloadBlob(request: DownloadRequest): Promise<void> {
  const incomplete = `${request.path}.incomplete`;
  await mkdir(dirname(request.path), { recursive: true });
  let fruitless = 0;
  let furthest = 0;
  for (;;) {
    const attempt = new Attempt(request);
    try {
      await attempt.run(incomplete);
      await rename(incomplete, request.path);
      return;
    } catch (error) {
      request.signal.throwIfAborted();
      fruitless = attempt.received > Math.max(furthest, attempt.resumedAt) ? 1 : fruitless + 1;
      furthest = Math.max(furthest, attempt.received);
      if (!isWorthRetrying(error, attempt) || fruitless >= MAX_FRUITLESS_ATTEMPTS) throw error;
      await delay(FIRST_RETRY_MS * 2 ** (fruitless - 1), undefined, { signal: request.signal });
    }
  }
}

function isWorthRetrying(error: unknown, attempt: Attempt): boolean {
  if (!(error instanceof CheckpointError)) return false;
  switch (error.code) {
    case 'HUB_UNREACHABLE':
      return true;
    case 'HUB_FAILED': {
      const status = error.fields['status'];
      return typeof status === 'number' && (status === 408 || status === 429 || status >= 500);
    }
    case 'CORRUPT_DOWNLOAD':
      // The part kept from before may have been damaged by a crash; the next attempt starts from nothing.
      return attempt.resumedAt > 0;
    default:
      return false;
  }
}

class Attempt {
  resumedAt = 0;
  received = 0;
  private hash: Hash;

  constructor(private readonly request: DownloadRequest) {
    this.hash = startHash(request.file);
  }

  async run(incomplete: string): Promise<void> {
    const { file, onBytes } = this.request;
    const handle = await open(incomplete, 'a+');
    let valid = false;
    try {
      await this.resume(handle);
      onBytes(this.received);
      if (this.received < file.bytes) await this.receive(handle);
      valid = this.hash.digest('hex') === file.etag;
      if (valid) await handle.sync();
    } finally {
      await handle.close();
    }
    if (!valid) {
      await rm(incomplete, { force: true });
      throw this.corrupt('its hash is another');
    }
  }

  /** Hashes what an earlier attempt left. */
  private async resume(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size > this.request.file.bytes) await handle.truncate(0);
    else this.resumedAt = size;
    const chunk = new Uint8Array(Math.min(REHASH_CHUNK_BYTES, this.resumedAt));
    while (this.received < this.resumedAt) {
      this.request.signal.throwIfAborted();
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.received);
      if (bytesRead === 0)
        throw new CheckpointError('READ_FAILED', `${this.request.path}.incomplete shrank.`);
      this.hash.update(chunk.subarray(0, bytesRead));
      this.received += bytesRead;
    }
  }

  private async receive(handle: FileHandle): Promise<void> {
    const { file, fetchFrom, onBytes } = this.request;
    const response = await fetchFrom(this.received);
    if (this.received > 0 && !continuesAt(response, this.received)) await this.restart(handle);
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        this.received += chunk.length;
        if (this.received > file.bytes) throw this.corrupt('more bytes arrived');
        this.hash.update(chunk);
        await handle.appendFile(chunk);
        onBytes(this.received);
      }
    } catch (cause) {
      if (cause instanceof CheckpointError || !isConnectionError(cause)) throw cause;
      throw this.interrupted(cause);
    }
    if (this.received < file.bytes) throw this.interrupted();
  }

  /** The server sent the whole file instead of the rest. */
  private async restart(handle: FileHandle): Promise<void> {
    await handle.truncate(0);
    this.hash = startHash(this.request.file);
    this.received = 0;
    this.resumedAt = 0;
  }

  private interrupted(cause?: unknown): CheckpointError {
    const { name, bytes } = this.request.file;
    const reason = cause === undefined ? 'the connection closed' : reasonOf(cause);
    return new CheckpointError(
      'HUB_UNREACHABLE',
      `Expected ${bytes} bytes of ${name} but received ${this.received}: ${reason}. Run again to continue from there.`,
      { fields: { file: name, receivedBytes: this.received, totalBytes: bytes }, cause },
    );
  }

  private corrupt(found: string): CheckpointError {
    const { name, bytes, etag } = this.request.file;
    return new CheckpointError(
      'CORRUPT_DOWNLOAD',
      `Expected ${bytes} bytes with hash ${etag} for ${name} but ${found}. Run again; check for a proxy that changes files.`,
      { fields: { file: name, etag } },
    );
  }
}

/** Large files are named by the SHA-256 of their bytes, others by git: SHA-1 over a header and the bytes. */
function startHash({ etag, bytes }: HubFile): Hash {
  return etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

function continuesAt(response: Response, offset: number): boolean {
  return (
    response.status === 206 && (response.headers.get('content-range') ?? '').startsWith(`bytes ${offset}-`)
  );
}

/** `fetch` reports a connection lost in the middle as a TypeError ("terminated"). */
function isConnectionError(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'name' in cause && cause.name === 'TypeError';
}
