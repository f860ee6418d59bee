// Reads byte ranges of checkpoint files into memory that ops use directly. Direct I/O where the platform,
// the file system and the memory allow it, so that the page cache neither copies nor evicts.

import {
  DIRECT_ALIGNMENT,
  DirectIoError,
  REFUSED,
  type OpenReadQueueOptions,
  type ReadMethod,
} from '@airllm/direct-io';
import type { WeightMemory } from '@airllm/backend';
import { DeviceQueues } from './device-queues.js';
import { LayerStoreError } from './errors.js';
import { FileIdentities } from './file-identities.js';
import { OpenFiles, type FileOnDevice } from './open-files.js';
import type { RangeRead } from './read-ranges.js';

export interface ReadRequest extends RangeRead {
  readonly memory: WeightMemory;
  /** Nothing was written to the memory yet. Default false. */
  readonly fresh?: boolean;
}

/** The directness of reads, for people: undefined, or why the page cache is in between. */
export type BufferedReason = string | undefined;

/** What reads. */
export interface ReadingStatus {
  /** Undefined before the first read. */
  readonly method: ReadMethod | undefined;
  /** Why reads go through node:fs instead of native code; undefined when they do not, or were meant to. */
  readonly fallbackReason: string | undefined;
}

/** Keeps checkpoint files open and reads ranges of them. */
export class FileReader {
  readonly #identities = new FileIdentities();
  readonly #direct = new OpenFiles(true, this.#identities);
  readonly #buffered = new OpenFiles(false, this.#identities);
  /** Files that were opened for direct reads and then refused one. */
  readonly #refusing = new Set<string>();
  readonly #queues: DeviceQueues;
  /** Files that were read since they were last looked at. */
  #readFrom = new Set<string>();
  #bufferedReason: BufferedReason;
  #inFlight = 0;
  #idleSince = performance.now();
  #idleMs = 0;

  constructor(options: OpenReadQueueOptions = {}) {
    this.#queues = new DeviceQueues(options);
  }

  /** Why some reads went through the page cache; undefined when all were direct. */
  get bufferedReason(): BufferedReason {
    return this.#bufferedReason ?? this.#direct.bufferedReason;
  }

  get status(): ReadingStatus {
    const { method, fallbackReason } = this.#queues;
    return { method, fallbackReason };
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

  /**
   * All of `reads` into one memory. Settles only when none is in flight any more.
   *
   * @param options.fresh nothing was written to the memory yet
   * @throws LayerStoreError `READ_FAILED`, of the first in order that failed
   */
  async readAll(
    reads: readonly RangeRead[],
    memory: WeightMemory,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<void> {
    const results = await Promise.allSettled(reads.map((read) => this.read({ ...read, memory, fresh })));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** What waits for a disk fails; settles when the reads in flight have ended. */
  async close(): Promise<void> {
    await this.#queues.close();
    await this.#direct.close();
    await this.#buffered.close();
  }

  async #read(request: ReadRequest): Promise<void> {
    const { path, fileOffset, neededBytes } = request;
    try {
      let arrived = await this.#readDirect(request);
      if (arrived < neededBytes) arrived = await this.#fill(await this.#buffered.get(path), request);
      if (arrived < neededBytes) {
        throw new LayerStoreError(
          'READ_FAILED',
          `Expected ${neededBytes} bytes at offset ${fileOffset} of ${path} but the file ends after ${arrived}; it was truncated or replaced while in use`,
          { fields: { path, fileOffset, neededBytes, arrived } },
        );
      }
    } catch (error) {
      throw describeFailure(error, request);
    }
  }

  /** Bytes that arrived; fewer than needed where the buffered path has to decide. */
  async #readDirect(request: ReadRequest): Promise<number> {
    const { path, memory, bufferOffset, fileOffset, byteLength } = request;
    const misaligned = [bufferOffset, fileOffset, byteLength].some((value) => value % DIRECT_ALIGNMENT !== 0);
    if (misaligned || this.#refusing.has(path)) return 0;
    if (!memory.pageAligned) {
      this.#bufferedReason ??= 'this backend has no page-aligned memory';
      return 0;
    }
    const opened = await this.#direct.get(path);
    if (!opened.file.direct) return 0;
    try {
      return await this.#fill(opened, request);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#bufferedReason ??= REFUSED;
      this.#refusing.add(path);
      return 0;
    }
  }

  async #fill({ file, device }: FileOnDevice, request: ReadRequest): Promise<number> {
    const { memory, bufferOffset, byteLength, fileOffset, fresh = false } = request;
    const queue = await this.#queues.of(device);
    return queue.read({ file, memory: memory.bytes, bufferOffset, byteLength, fileOffset, fresh });
  }
}

function describeFailure(error: unknown, { path, fileOffset }: ReadRequest): LayerStoreError {
  if (error instanceof LayerStoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const told = DirectIoError.isInstance(error) && error.code === 'READ_FAILED';
  const message = told ? reason : `Could not read ${path} at offset ${fileOffset}: ${reason}`;
  return new LayerStoreError('READ_FAILED', message, { fields: { path, fileOffset }, cause: error });
}

/** The file system takes no direct reads after all: EINVAL, which is also what a misaligned one would get. */
function isRefusal(error: unknown): boolean {
  return DirectIoError.isInstance(error) && error.fields['errno'] === 'EINVAL';
}
