// One queue of reads for each disk, so that several disks read side by side and a slow one holds up only its own files. Each
// has the settings that tuning found for its disk.

import {
  deviceId,
  openReadQueue,
  readRememberedSettings,
  type OpenReadQueueOptions,
  type QueueSettings,
  type ReadMethod,
  type ReadQueue,
} from '@airllm/direct-io';

export class DeviceQueues {
  readonly #queues = new Map<bigint, Promise<ReadQueue>>();
  #method: ReadMethod | undefined;
  #fallbackReason: string | undefined;
  #remembered: Promise<ReadonlyMap<string, QueueSettings>> | undefined;

  /** @param options settings that are given here go before remembered ones */
  constructor(private readonly options: OpenReadQueueOptions = {}) {}

  /** What reads; undefined before the first file was opened. */
  get method(): ReadMethod | undefined {
    return this.#method;
  }

  /** Why reads go through node:fs although nobody asked for it. */
  get fallbackReason(): string | undefined {
    return this.#fallbackReason;
  }

  /** @throws DirectIoError `READER_UNAVAILABLE` when a method was asked for that this machine does not have */
  of(device: bigint): Promise<ReadQueue> {
    const known = this.#queues.get(device);
    if (known) return known;
    const opening = this.#open(device);
    this.#queues.set(device, opening);
    return opening;
  }

  /** Cancels what waits and waits for the reads in flight. */
  async close(): Promise<void> {
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    await Promise.allSettled(queues.map(async (opening) => (await opening)[Symbol.asyncDispose]()));
  }

  async #open(device: bigint): Promise<ReadQueue> {
    this.#remembered ??= readRememberedSettings();
    const remembered = (await this.#remembered).get(await deviceId(device));
    const { queue, fallbackReason } = openReadQueue({ ...remembered, ...this.options });
    this.#method ??= queue.method;
    this.#fallbackReason ??= fallbackReason;
    return queue;
  }
}
