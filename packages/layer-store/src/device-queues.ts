// One queue of reads for each disk, so that several disks read side by side and a slow one holds up only its own files.

import { openReadQueue, type OpenReadQueueOptions, type ReadMethod, type ReadQueue } from '@airllm/direct-io';

export class DeviceQueues {
  readonly #queues = new Map<bigint, ReadQueue>();
  #fallbackReason: string | undefined;

  constructor(private readonly options: OpenReadQueueOptions = {}) {}

  /** What reads; undefined before the first file was opened. */
  get method(): ReadMethod | undefined {
    const [queue] = this.#queues.values();
    return queue?.method;
  }

  /** Why reads go through node:fs although nobody asked for it. */
  get fallbackReason(): string | undefined {
    return this.#fallbackReason;
  }

  /** @throws DirectIoError `READER_UNAVAILABLE` when a method was asked for that this machine does not have */
  of(device: bigint): ReadQueue {
    const known = this.#queues.get(device);
    if (known) return known;
    const { queue, fallbackReason } = openReadQueue(this.options);
    this.#fallbackReason ??= fallbackReason;
    this.#queues.set(device, queue);
    return queue;
  }

  /** Cancels what waits and waits for the reads in flight. */
  async close(): Promise<void> {
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    await Promise.all(queues.map((queue) => queue[Symbol.asyncDispose]()));
  }
}
