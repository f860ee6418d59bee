// Reads through node:fs, where the addon cannot be built or loaded: the same results, on threads that everything in the
// process shares.

import { expectRange, readCancelled, readerClosed, readFailed } from './read-error.js';
import { DIRECT_ALIGNMENT, type ReadQueue, type ReadRequest } from './read-queue.js';
import { codeOf } from './system-error.js';

export class NodeQueue implements ReadQueue {
  readonly method = 'node';
  readonly #inFlight = new Set<Promise<number>>();
  #closed = false;

  async read(request: ReadRequest): Promise<number> {
    if (this.#closed) throw readerClosed(request);
    expectRange(request);
    const arriving = this.#readFully(request);
    this.#inFlight.add(arriving);
    try {
      return await arriving;
    } finally {
      this.#inFlight.delete(arriving);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#inFlight);
  }

  /** A direct read that ends between two aligned offsets has met the end of the file. */
  async #readFully(request: ReadRequest): Promise<number> {
    const { file, byteLength, signal } = request;
    const step = file.direct ? DIRECT_ALIGNMENT : 1;
    let arrived = 0;
    while (arrived < byteLength && arrived % step === 0) {
      if (signal?.aborted || this.#closed) throw readCancelled(request);
      const bytesRead = await readSome(request, arrived);
      if (bytesRead === 0) break;
      arrived += bytesRead;
    }
    return arrived;
  }
}

async function readSome(request: ReadRequest, arrived: number): Promise<number> {
  const { file, memory, bufferOffset, byteLength } = request;
  const fileOffset = request.fileOffset + arrived;
  try {
    const { bytesRead } = await file.handle.read(
      memory,
      bufferOffset + arrived,
      byteLength - arrived,
      fileOffset,
    );
    return bytesRead;
  } catch (cause) {
    const errno = codeOf(cause);
    if (errno === undefined) throw cause;
    throw readFailed(request, { fileOffset, errno, cause });
  }
}
