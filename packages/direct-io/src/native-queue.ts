// Reads by native code: requests of one size, as many in flight as the device likes.

import { getSystemErrorName } from 'node:util';
import type { NativeReader } from './binding.js';
import { expectRange, readCancelled, readerClosed, readFailed } from './read-error.js';
import { DIRECT_ALIGNMENT, type NativeMethod, type ReadQueue, type ReadRequest } from './read-queue.js';
import { numberOf } from './system-error.js';

const CLOSED = new Error('the file was closed');

export class NativeQueue implements ReadQueue {
  readonly #inFlight = new Map<number, Promise<number>>();
  #lastId = 0;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly reader: NativeReader,
    readonly method: NativeMethod,
  ) {}

  async read(request: ReadRequest): Promise<number> {
    const { signal } = request;
    if (this.#closing) throw readerClosed(request);
    if (signal?.aborted) throw readCancelled(request);
    expectRange(request);
    const id = (this.#lastId += 1);
    const cancel = (): void => this.reader.cancel(id);
    const arriving = this.#start(id, request);
    this.#inFlight.set(id, arriving);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await arriving;
    } catch (error) {
      throw describe(error, request);
    } finally {
      this.#inFlight.delete(id);
      signal?.removeEventListener('abort', cancel);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= (async () => {
      for (const id of this.#inFlight.keys()) this.reader.cancel(id);
      await Promise.allSettled(this.#inFlight.values());
      this.reader.close();
    })();
    return this.#closing;
  }

  #start(id: number, request: ReadRequest): Promise<number> {
    const { file, memory, bufferOffset, byteLength, fileOffset, fresh = false } = request;
    const alignment = file.direct ? DIRECT_ALIGNMENT : 1;
    const { fd } = file.handle;
    if (fd < 0) return Promise.reject(readFailed(request, { fileOffset, errno: 'EBADF', cause: CLOSED }));
    return this.reader.read(id, fd, memory, bufferOffset, byteLength, fileOffset, alignment, fresh);
  }
}

function describe(error: unknown, request: ReadRequest): unknown {
  const number = numberOf(error, 'errno');
  if (number === undefined) return error;
  const errno = getSystemErrorName(-number);
  if (errno === 'ECANCELED') return readCancelled(request);
  const fileOffset = numberOf(error, 'fileOffset') ?? request.fileOffset;
  return readFailed(request, { fileOffset, errno, cause: error });
}
