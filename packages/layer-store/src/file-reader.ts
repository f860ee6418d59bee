// Reads byte ranges of checkpoint files into memory that ops use directly. Direct I/O where the platform,
// the file system and the memory allow it, so that the page cache neither copies nor evicts.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { WeightMemory } from '@airllm/backend';
import { LayerStoreError } from './errors.js';
import { FileIdentities } from './file-identities.js';
import { PAGE_BYTES, type RangeRead } from './read-ranges.js';

export interface ReadRequest extends RangeRead {
  readonly memory: WeightMemory;
}

/** The directness of reads, for people: undefined, or why the page cache is in between. */
export type BufferedReason = string | undefined;

const REFUSED = 'the file system refuses direct reads';

/** Keeps checkpoint files open and reads ranges of them. Close it when the last read has ended. */
export class FileReader {
  readonly #direct = new Map<string, Promise<FileHandle | undefined>>();
  readonly #buffered = new Map<string, Promise<FileHandle>>();
  /** Files that were opened for direct reads and then refused one. */
  readonly #refusing = new Set<string>();
  readonly #identities = new FileIdentities();
  /** Files that were read since they were last looked at. */
  #readFrom = new Set<string>();
  #bufferedReason: BufferedReason;
  #inFlight = 0;
  #idleSince = performance.now();
  #idleMs = 0;

  /** Why some reads went through the page cache; undefined when all were direct. */
  get bufferedReason(): BufferedReason {
    return this.#bufferedReason;
  }

  /** Seconds since the reader was made in which no read was in flight. */
  get idleSeconds(): number {
    const current = this.#inFlight === 0 ? performance.now() - this.#idleSince : 0;
    return (this.#idleMs + current) / 1000;
  }

  /**
   * Looks at every file that was read since the last time.
   *
   * @throws LayerStoreError `FILE_CHANGED` for one that was replaced or written to since it was opened
   */
  async expectUnchanged(): Promise<void> {
    const paths = this.#readFrom;
    this.#readFrom = new Set();
    await Promise.all([...paths].map((path) => this.#identities.expectUnchanged(path)));
  }

  /** @throws LayerStoreError `READ_FAILED` naming file and offset */
  async read(request: ReadRequest): Promise<void> {
    this.#readFrom.add(request.path);
    if (this.#inFlight === 0) this.#idleMs += performance.now() - this.#idleSince;
    this.#inFlight += 1;
    try {
      await this.#read(request);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idleSince = performance.now();
    }
  }

  async #read(request: ReadRequest): Promise<void> {
    const { path, fileOffset, neededBytes } = request;
    try {
      let arrived = await this.#readDirect(request);
      if (arrived < neededBytes) arrived = await readFully(await this.#bufferedHandle(path), request);
      if (arrived < neededBytes) {
        throw new LayerStoreError(
          'READ_FAILED',
          `Expected ${neededBytes} bytes at offset ${fileOffset} of ${path} but the file ends after ${arrived}; it was truncated or replaced while in use`,
          { fields: { path, fileOffset, neededBytes, arrived } },
        );
      }
    } catch (error) {
      if (error instanceof LayerStoreError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new LayerStoreError('READ_FAILED', `Could not read ${path} at offset ${fileOffset}: ${reason}`, {
        fields: { path, fileOffset },
        cause: error,
      });
    }
  }

  /**
   * All of `reads` into one memory. Settles only when none is in flight any more.
   *
   * @throws LayerStoreError `READ_FAILED`, of the first in order that failed
   */
  async readAll(reads: readonly RangeRead[], memory: WeightMemory): Promise<void> {
    const results = await Promise.allSettled(reads.map((read) => this.read({ ...read, memory })));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async close(): Promise<void> {
    const opened = [...this.#direct.values(), ...this.#buffered.values()];
    this.#direct.clear();
    this.#buffered.clear();
    await Promise.allSettled(opened.map(async (handle) => (await handle)?.close()));
  }

  /** Bytes that arrived; fewer than needed where the buffered path has to decide. */
  async #readDirect(request: ReadRequest): Promise<number> {
    const handle = await this.#directHandle(request);
    if (!handle) return 0;
    try {
      return await readFully(handle, request, PAGE_BYTES);
    } catch (error) {
      if (!isInvalidArgument(error)) throw error;
      this.#bufferedReason ??= REFUSED;
      this.#refusing.add(request.path);
      return 0;
    }
  }

  async #directHandle(request: ReadRequest): Promise<FileHandle | undefined> {
    const { path, memory, bufferOffset, fileOffset, byteLength } = request;
    const misaligned = [bufferOffset, fileOffset, byteLength].some((value) => value % PAGE_BYTES !== 0);
    if (misaligned || this.#refusing.has(path)) return undefined;
    if (!memory.pageAligned) {
      this.#bufferedReason ??= 'this backend has no page-aligned memory';
      return undefined;
    }
    return openOnce(this.#direct, path, () => this.#openDirect(path));
  }

  async #openDirect(path: string): Promise<FileHandle | undefined> {
    // Absent from constants on macOS and Windows.
    const flag: number | undefined = constants.O_DIRECT;
    if (flag === undefined) {
      this.#bufferedReason ??= `no O_DIRECT on ${process.platform}`;
      return undefined;
    }
    try {
      return await this.#open(path, constants.O_RDONLY | flag);
    } catch (error) {
      if (!isInvalidArgument(error)) throw error;
      this.#bufferedReason ??= REFUSED;
      return undefined;
    }
  }

  #bufferedHandle(path: string): Promise<FileHandle> {
    return openOnce(this.#buffered, path, () => this.#open(path, constants.O_RDONLY));
  }

  async #open(path: string, flags: number): Promise<FileHandle> {
    const handle = await open(path, flags);
    try {
      await this.#identities.note(path, handle);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** The handle of `path`, opened if it is not; an open that failed is tried again next time. */
function openOnce<T>(handles: Map<string, Promise<T>>, path: string, create: () => Promise<T>): Promise<T> {
  const known = handles.get(path);
  if (known) return known;
  const handle = create();
  handles.set(path, handle);
  handle.catch(() => handles.delete(path));
  return handle;
}

/**
 * Reads until `neededBytes` are there or the file ends; returns the bytes that arrived. Where offsets have to
 * be multiples of `step`, a read that ends between them is taken for the end.
 */
async function readFully(handle: FileHandle, request: ReadRequest, step = 1): Promise<number> {
  const { memory, bufferOffset, byteLength, fileOffset, neededBytes } = request;
  let arrived = 0;
  while (arrived < neededBytes && arrived % step === 0) {
    const { bytesRead } = await handle.read(
      memory.bytes,
      bufferOffset + arrived,
      byteLength - arrived,
      fileOffset + arrived,
    );
    if (bytesRead === 0) break;
    arrived += bytesRead;
  }
  return arrived;
}

function isInvalidArgument(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EINVAL';
}
