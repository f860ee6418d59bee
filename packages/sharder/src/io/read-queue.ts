// Ranges that were read ahead, taken one by one by whoever needs the next; closing it ends the reading.

import { ShardError } from '../errors.js';
import type { ByteRange, RangeRead } from './read-ahead.js';

export interface ReadQueueOptions<T extends ByteRange> {
  readonly signal?: AbortSignal | undefined;
  /** Called as a range is taken. */
  readonly onTake?: ((request: T) => void) | undefined;
}

export class ReadQueue<T extends ByteRange> implements AsyncDisposable {
  readonly #reads: AsyncGenerator<RangeRead<T>>;
  readonly #options: ReadQueueOptions<T>;
  #ahead: Promise<RangeRead<T>> | undefined;

  constructor(reads: AsyncGenerator<RangeRead<T>>, options: ReadQueueOptions<T> = {}) {
    this.#reads = reads;
    this.#options = options;
  }

  /** The next range, which stays the next one. Its bytes are valid until the one after it is asked for. */
  peek(): Promise<RangeRead<T>> {
    return (this.#ahead ??= this.#pull());
  }

  /** @throws ShardError `ABORTED` when the signal fired, and what reading throws */
  async take(): Promise<RangeRead<T>> {
    const read = await this.peek();
    this.#ahead = undefined;
    this.#options.onTake?.(read.request);
    return read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    await this.#reads.return(undefined);
  }

  async #pull(): Promise<RangeRead<T>> {
    const { signal } = this.#options;
    if (signal?.aborted) {
      throw new ShardError(
        'ABORTED',
        'Sharding was aborted. What is finished stays; run it again to go on.',
        {
          cause: signal.reason,
        },
      );
    }
    const next = await this.#reads.next();
    if (next.done === true) throw new RangeError('Expected another range but all were taken');
    return next.value;
  }
}
