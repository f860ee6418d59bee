// What is opened after an engine was lost: less of the same device's memory, the same device once more, the next device, at
// last the CPU. Every step is taken at most once, so that the steps end.

import { AirllmError } from '@airllm/errors';
import type { DeviceMemoryRequest } from '../options/device-memory.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { EngineChoice } from './open-engine.js';

export type DeviceName = Exclude<ResolvedOptions['device'], 'auto'>;

/** The choice that failed, and what is known of its device's own memory. */
export interface FailedChoice {
  readonly device: DeviceName;
  readonly deviceMemory: DeviceMemoryRequest | undefined;
  /** What it was allowed, and the least that a plan needs; undefined where it has none of its own, or was not opened. */
  readonly limitBytes: number | undefined;
  readonly minimumBytes: number | undefined;
  /** What it held when it failed. */
  readonly heldBytes: number | undefined;
}

export class FallbackSteps {
  readonly #request: DeviceMemoryRequest | undefined;
  readonly #others: AsyncIterator<DeviceName, void>;
  readonly #opened = new Set<DeviceName>();
  readonly #reopened = new Set<DeviceName>();
  readonly #shrunk = new Set<DeviceName>();

  /**
   * @param request of the device's memory, for devices other than the first
   * @param others devices in the order they are to be tried; those that were tried are passed over
   */
  constructor(request: DeviceMemoryRequest | undefined, others: AsyncIterable<DeviceName, void>) {
    this.#request = request;
    this.#others = others[Symbol.asyncIterator]();
  }

  /** What to open after `failed` ended with `error`; undefined when there is nothing left. */
  async next(
    failed: FailedChoice,
    error: unknown,
  ): Promise<(EngineChoice & { device: DeviceName }) | undefined> {
    const { device } = failed;
    this.#opened.add(device);
    const code = AirllmError.isInstance(error) ? error.code : undefined;
    if (code === 'OUT_OF_DEVICE_MEMORY') {
      const bytes = this.#smallerBytes(failed, error);
      if (bytes !== undefined) return { device, deviceMemory: { bytes } };
    }
    if (code === 'DEVICE_LOST' && !this.#reopened.has(device)) {
      this.#reopened.add(device);
      return { device, deviceMemory: failed.deviceMemory };
    }
    return this.#nextDevice();
  }

  /** First what the device held less what was missing, then half as much, and the smallest at last. */
  #smallerBytes({ device, ...memory }: FailedChoice, error: unknown): number | undefined {
    const { limitBytes, minimumBytes, heldBytes = 0 } = memory;
    if (limitBytes === undefined || minimumBytes === undefined || limitBytes <= minimumBytes)
      return undefined;
    const half = Math.floor(limitBytes / 2);
    const isFirst = !this.#shrunk.has(device);
    this.#shrunk.add(device);
    const missingBytes = AirllmError.isInstance(error) ? Number(error.fields['byteLength'] ?? 0) : 0;
    const left = isFirst ? Math.min(heldBytes, limitBytes - 1) - missingBytes : 0;
    return Math.max(minimumBytes, half, left);
  }

  async #nextDevice(): Promise<(EngineChoice & { device: DeviceName }) | undefined> {
    for (;;) {
      const result = await this.#others.next();
      if (result.done) return undefined;
      const device = result.value;
      if (this.#opened.has(device)) continue;
      const isHost = device === 'cpu' || device === 'reference';
      return { device, deviceMemory: isHost ? undefined : this.#request };
    }
  }
}
