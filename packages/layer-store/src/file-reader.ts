// Reads byte ranges of checkpoint files into memory that ops use directly. Direct I/O where the platform,
// the file system and the memory allow it, so that the page cache neither copies nor evicts.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { WeightMemory } from '@airllm/backend';
import { LayerStoreError } from './errors.js';
import { PAGE_BYTES } from './tile.js';

export interface ReadRequest {
  readonly path: string;
  readonly fileOffset: number;
  readonly byteLength: number;
  /** Bytes that must arrive, ≤ byteLength; the rest may lie past the end of the file. */
  readonly neededBytes: number;
  readonly memory: WeightMemory;
  readonly bufferOffset: number;
}

/** The directness of reads, for people: undefined, or why the page cache is in between. */
export type BufferedReason = string | undefined;

/** Keeps checkpoint files open and reads ranges of them. Close it when the last read has ended. */
export class FileReader {
  readonly #direct = new Map<string, Promise<FileHandle | undefined>>();
  readonly #buffered = new Map<string, Promise<FileHandle>>();
  #bufferedReason: BufferedReason;

  /** Why some reads went through the page cache; undefined when all were direct. */
  get bufferedReason(): BufferedReason {
    return this.#bufferedReason;
  }

  /** @throws LayerStoreError `READ_FAILED` naming file and offset. */
  async read(request: ReadRequest): Promise<void> {
    const { path, fileOffset, neededBytes } = request;
    try {
      const handle = (await this.#directHandle(request)) ?? (await this.#bufferedHandle(path));
      const arrived = await readFully(handle, request).catch(async (error: unknown) => {
        if (!isInvalidArgument(error)) throw error;
        this.#fallBack(path, 'the file system refuses direct reads');
        return readFully(await this.#bufferedHandle(path), request);
      });
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

  async close(): Promise<void> {
    const handles = await Promise.allSettled([...this.#direct.values(), ...this.#buffered.values()]);
    this.#direct.clear();
    this.#buffered.clear();
    await Promise.allSettled(handles.map((h) => (h.status === 'fulfilled' ? h.value?.close() : undefined)));
  }

  async #directHandle(request: ReadRequest): Promise<FileHandle | undefined> {
    const { path, memory, bufferOffset, fileOffset, byteLength } = request;
    const misaligned = [bufferOffset, fileOffset, byteLength].some((value) => value % PAGE_BYTES !== 0);
    if (misaligned) return undefined;
    if (!memory.pageAligned) {
      this.#bufferedReason ??= 'this backend has no page-aligned memory';
      return undefined;
    }
    let handle = this.#direct.get(path);
    if (!handle) {
      handle = this.#openDirect(path);
      this.#direct.set(path, handle);
    }
    return handle;
  }

  async #openDirect(path: string): Promise<FileHandle | undefined> {
    // Absent from constants on macOS and Windows.
    const flag: number | undefined = constants.O_DIRECT;
    if (flag === undefined) {
      this.#bufferedReason ??= `no O_DIRECT on ${process.platform}`;
      return undefined;
    }
    try {
      return await open(path, constants.O_RDONLY | flag);
    } catch (error) {
      if (!isInvalidArgument(error)) throw error;
      this.#bufferedReason ??= 'the file system refuses direct reads';
      return undefined;
    }
  }

  #fallBack(path: string, reason: string): void {
    this.#bufferedReason ??= reason;
    const direct = this.#direct.get(path);
    this.#direct.set(path, Promise.resolve(undefined));
    void direct?.then((handle) => handle?.close());
  }

  #bufferedHandle(path: string): Promise<FileHandle> {
    let handle = this.#buffered.get(path);
    if (!handle) {
      handle = open(path, constants.O_RDONLY);
      this.#buffered.set(path, handle);
      handle.catch(() => this.#buffered.delete(path));
    }
    return handle;
  }
}

/** Reads until `neededBytes` are there or the file ends; returns the bytes that arrived. */
async function readFully(handle: FileHandle, request: ReadRequest): Promise<number> {
  const { memory, bufferOffset, byteLength, fileOffset, neededBytes } = request;
  let arrived = 0;
  while (arrived < neededBytes) {
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
