// Byte ranges of files, in the order they are asked for, read ahead of whoever consumes them: several requests are in
// flight while earlier ones are worked on, across tensors and files.

import { AlignedPool, PAGE_BYTES, roundDown, roundUp } from './aligned-pool.js';
import { reasonOf, ShardError, systemCode } from '../errors.js';
import { DirectFile } from './direct-file.js';

/** Longest range of a request. */
export const READ_BYTES = 4 * 2 ** 20;
/** Buffers: those being read, and those waiting for their turn. */
const READ_BUFFERS = 6;
const READS_IN_FLIGHT = 2;

export interface ByteRange {
  readonly path: string;
  readonly byteOffset: number;
  /** At most {@link READ_BYTES}. */
  readonly byteLength: number;
}

export interface RangeRead<T extends ByteRange> {
  readonly request: T;
  /** Valid until the next one is asked for. */
  readonly bytes: Uint8Array;
}

interface Pending<T extends ByteRange> {
  readonly request: T;
  readonly buffer: Uint8Array;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * Reads every range of `requests` and yields them in order. Leaving the loop waits for what is in flight.
 *
 * @throws ShardError `SOURCE_MISSING`, `SOURCE_CHANGED` (a file is shorter than it was), `READ_FAILED`; what the
 *   iteration of `requests` throws passes through.
 */
export async function* readAhead<T extends ByteRange>(
  requests: AsyncIterable<T>,
): AsyncGenerator<RangeRead<T>> {
  const pool = new AlignedPool(READ_BUFFERS, READ_BYTES + 2 * PAGE_BYTES);
  const files = new OpenFiles();
  const iterator = requests[Symbol.asyncIterator]();
  const pending: Pending<T>[] = [];
  const limit = new Semaphore(READS_IN_FLIGHT);
  let ended = false;
  const fill = async (): Promise<void> => {
    while (!ended && pending.length < READ_BUFFERS - 1) {
      const next = await iterator.next();
      if (next.done) {
        ended = true;
        return;
      }
      const buffer = await pool.acquire();
      const bytes = limit.run(() => files.read(next.value, buffer));
      // Looked at in its turn; until then a failure is not unhandled.
      bytes.catch(() => undefined);
      pending.push({ request: next.value, buffer, bytes });
    }
  };
  try {
    for (;;) {
      await fill();
      const first = pending.shift();
      if (!first) return;
      try {
        yield { request: first.request, bytes: await first.bytes };
      } finally {
        pool.release(first.buffer);
      }
    }
  } finally {
    await Promise.allSettled(pending.map(({ bytes }) => bytes));
    await files.close();
    await iterator.return?.();
  }
}

/** Handles of the files that are being read; tensors of a layer come from a few at a time. */
class OpenFiles {
  static readonly #MOST = 8;
  readonly #files = new Map<string, Promise<DirectFile>>();
  readonly #reading = new Map<string, number>();

  async read({ path, byteOffset, byteLength }: ByteRange, buffer: Uint8Array): Promise<Uint8Array> {
    const start = roundDown(byteOffset, PAGE_BYTES);
    const skipped = byteOffset - start;
    this.#count(path, 1);
    try {
      const file = await this.#open(path);
      const arrived = await file.read(buffer.subarray(0, roundUp(skipped + byteLength, PAGE_BYTES)), start);
      if (arrived >= skipped + byteLength) return buffer.subarray(skipped, skipped + byteLength);
    } catch (cause) {
      const fields = { path, byteOffset };
      if (systemCode(cause) === 'ENOENT') {
        throw new ShardError('SOURCE_MISSING', `Expected ${path}, which the shards are made from.`, {
          fields,
          cause,
        });
      }
      throw new ShardError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, { fields, cause });
    } finally {
      this.#count(path, -1);
    }
    throw new ShardError(
      'SOURCE_CHANGED',
      `Expected ${byteLength} bytes at offset ${byteOffset} of ${path} but the file ends before. It was cut or replaced.`,
      { fields: { path, byteOffset, byteLength } },
    );
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.allSettled(files.map(async (file) => (await file).close()));
  }

  async #open(path: string): Promise<DirectFile> {
    const known = this.#files.get(path);
    if (known) return known;
    const file = DirectFile.openToRead(path);
    this.#files.set(path, file);
    file.catch(() => this.#files.delete(path));
    await this.#closeIdle(path);
    return file;
  }

  async #closeIdle(newest: string): Promise<void> {
    if (this.#files.size <= OpenFiles.#MOST) return;
    for (const [path, file] of this.#files) {
      if (path === newest || (this.#reading.get(path) ?? 0) > 0) continue;
      this.#files.delete(path);
      await (await file).close();
      return;
    }
  }

  #count(path: string, change: number): void {
    this.#reading.set(path, (this.#reading.get(path) ?? 0) + change);
  }
}

/** Lets a number of tasks run at a time, in the order they came. */
class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
