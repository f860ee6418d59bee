// Buffers for what travels to the device with a submission: the numbers of its dispatches and the host weights it names.
// A few of equal size, each used again when the work that reads it is done, so that weights are carried over while earlier
// submissions compute, and no more is on its way than they hold.

import { BackendError } from '@airllm/backend';
import { USAGE } from '../gpu/dawn.js';
import type { Gpu } from '../gpu/gpu.js';

/** Enough that one is filled while another is read, and that short submissions need not wait. */
export const STAGING_SLOTS = 4;

/** Offsets of bindings are multiples of it on every adapter (minStorageBufferOffsetAlignment). */
export const BINDING_ALIGNMENT = 256;

export interface StagingSlot {
  readonly buffer: GPUBuffer;
  readonly byteLength: number;
  /** Resolves when nothing on the device reads it. */
  idle: Promise<unknown>;
}

export class Staging {
  /** Bytes of one slot. */
  readonly slotBytes: number;
  readonly #gpu: Gpu;
  readonly #slots: StagingSlot[] = [];
  #next = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    const share = Math.min(gpu.memory.stagingBytes / STAGING_SLOTS, gpu.limits.maxBufferSize);
    this.slotBytes = Math.floor(share / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
  }

  /**
   * The next slot, once nothing reads it. Its `idle` is to be set when it has been submitted.
   *
   * @throws BackendError `OUT_OF_DEVICE_MEMORY` when the device has no room for it
   */
  async acquire(): Promise<StagingSlot> {
    const index = this.#next;
    this.#next = (index + 1) % STAGING_SLOTS;
    const slot = (this.#slots[index] ??= await this.#create());
    await slot.idle;
    return slot;
  }

  dispose(): void {
    for (const { buffer } of this.#slots) buffer.destroy();
  }

  async #create(): Promise<StagingSlot> {
    const { device } = this.#gpu;
    const usage = USAGE.storage | USAGE.copyDst;
    device.pushErrorScope('out-of-memory');
    const buffer = device.createBuffer({ label: 'staging', size: this.slotBytes, usage });
    const error = await this.#gpu.orLost(device.popErrorScope());
    if (!error) return { buffer, byteLength: this.slotBytes, idle: Promise.resolve() };
    buffer.destroy();
    throw new BackendError(
      'OUT_OF_DEVICE_MEMORY',
      `The GPU had no room for ${this.slotBytes} bytes for weights on their way: ${error.message}; use a smaller stagingBytes`,
      { fields: { byteLength: this.slotBytes } },
    );
  }
}
