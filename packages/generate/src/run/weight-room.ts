// How the memory is divided between weights and runs. Runs come first: the store gets what the run at hand leaves, and
// gives it back or gets more when the next one, or the process around them, needs more or less.

import { LayerStoreError, type LayerStore } from '@airllm/layer-store';
import { GenerateError } from '../errors.js';
import type { RunDemand } from './run-size.js';

/** Smaller changes of what the process takes are ignored: to divide the memory anew waits for the reads in flight. */
const SMALLEST_CHANGE_SHARE = 1 / 512;

export interface WeightRoomOptions {
  readonly store: LayerStore;
  /**
   * Bytes for weights and runs together, as of now. The process around them grows and shrinks, so this is asked for before
   * every pass; `writtenRunBytes` is the least that the current run has committed of its memory.
   */
  readonly memoryBytes: (writtenRunBytes: number) => number;
  /** What was planned with: a run that fits in it is not refused because the process has grown since. */
  readonly plannedMemoryBytes: number;
  /** Bytes of host memory that are left for runs at least. */
  readonly reservedRunBytes: number;
  /** For a device with memory of its own. */
  readonly device?: DeviceRoom | undefined;
}

/** The memory of a device, but for what its backend needs itself. */
export interface DeviceRoom {
  /** Bytes for weights and runs together. */
  readonly memoryBytes: number;
  /** Bytes that are left for runs at least. */
  readonly reservedRunBytes: number;
}

export class WeightRoom {
  readonly #options: WeightRoomOptions;
  #memoryBytes: number;

  constructor(options: WeightRoomOptions) {
    this.#options = options;
    this.#memoryBytes = options.plannedMemoryBytes;
  }

  /** For activations, wherever they lie. */
  get activationRoomBytes(): number {
    return this.#options.device?.memoryBytes ?? this.memoryBytes;
  }

  /** Of the host, for weights and runs together: as they were last divided, or as planned where that is more. */
  get memoryBytes(): number {
    return Math.max(this.#memoryBytes, this.#options.plannedMemoryBytes);
  }

  /** Has the store leave what a run demands; returns the refusal where it cannot. Between passes. */
  async makeRoom(
    { hostBytes, deviceBytes }: RunDemand,
    writtenRunBytes = 0,
  ): Promise<LayerStoreError | GenerateError | undefined> {
    const { store, reservedRunBytes, plannedMemoryBytes, device } = this.#options;
    this.#measure(writtenRunBytes);
    const reserved = Math.max(hostBytes, reservedRunBytes);
    const smallest = Math.min(store.minimumBytes, plannedMemoryBytes - reserved);
    const budgetBytes = Math.max(this.#memoryBytes - reserved, smallest);
    const deviceBudgetBytes = device
      ? device.memoryBytes - Math.max(deviceBytes, device.reservedRunBytes)
      : store.deviceBudgetBytes;
    if (deviceBudgetBytes < 0) return deviceRefusal(-deviceBudgetBytes);
    if (budgetBytes === store.budgetBytes && deviceBudgetBytes === store.deviceBudgetBytes) return undefined;
    try {
      await store.resize(budgetBytes, deviceBudgetBytes);
    } catch (error) {
      if (error instanceof LayerStoreError && error.code === 'BUDGET_TOO_SMALL') return error;
      throw error;
    }
    return undefined;
  }

  #measure(writtenRunBytes: number): void {
    const measured = this.#options.memoryBytes(writtenRunBytes);
    const change = Math.abs(measured - this.#memoryBytes);
    if (change > this.#memoryBytes * SMALLEST_CHANGE_SHARE) this.#memoryBytes = measured;
  }
}

function deviceRefusal(missingBytes: number): GenerateError {
  return new GenerateError(
    'BUDGET_TOO_SMALL',
    `Expected ${missingBytes} more bytes of device memory for this run; raise memory.device by that much, or lower maxNewTokens or the batch`,
    { fields: { missingBytes } },
  );
}
