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
import { OpenOnce } from './open-once.js';

export class DeviceQueues {
  readonly #queues = new OpenOnce<bigint, ReadQueue>({
    open: (device) => this.#open(device),
    close: (queue) => queue[Symbol.asyncDispose](),
  });
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
    return this.#queues.get(device);
  }

  /** Cancels what waits and waits for the reads in flight. */
  close(): Promise<void> {
    return this.#queues.close();
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
