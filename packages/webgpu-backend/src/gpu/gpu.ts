// A device as one backend uses it: its buffers under a limit, all gone when the backend is closed.

import { BackendError } from '@airllm/backend';
import type { Kernel } from '../dispatch/kernel.js';
import { USAGE } from './dawn.js';
import type { GpuDevice, Pipeline } from './gpu-device.js';
import type { MemoryAccount } from './memory-account.js';

/** A buffer that is there, or will be known not to be. */
export interface CountedBuffer {
  readonly buffer: GPUBuffer;
  readonly byteLength: number;
  /** Rejects with `OUT_OF_DEVICE_MEMORY` when the device had no room; the bytes are then no longer counted. */
  readonly ready: Promise<void>;
  destroy(): void;
}

export class Gpu {
  readonly memory: MemoryAccount;
  readonly #opened: GpuDevice;
  readonly #leave: () => void;
  readonly #buffers = new Set<CountedBuffer>();

  /** @param leave takes the device over when it is closed */
  constructor(opened: GpuDevice, { memory, leave }: { memory: MemoryAccount; leave: () => void }) {
    this.#opened = opened;
    this.memory = memory;
    this.#leave = leave;
  }

  get device(): GPUDevice {
    return this.#opened.device;
  }

  get nothing(): GPUBuffer {
    return this.#opened.nothing;
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** @throws BackendError `DEVICE_LOST` */
  expectAlive(): void {
    this.#opened.expectAlive();
  }

  /** @throws BackendError `DEVICE_LOST` when the device goes before `promise` settles */
  orLost<T>(promise: Promise<T>): Promise<T> {
    return this.#opened.orLost(promise);
  }

  /** Settles when everything submitted so far is done. */
  finished(): Promise<undefined> {
    return this.orLost(this.device.queue.onSubmittedWorkDone());
  }

  /** Compiles what is not there yet, off the JavaScript thread. */
  compile(kernels: Iterable<Kernel>): Promise<void> {
    return this.#opened.compile(kernels);
  }

  /** Of a kernel that has been compiled. */
  pipelineOf(kernel: Kernel): Pipeline {
    return this.#opened.pipelineOf(kernel);
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` at once when it is over the limit, or over what one buffer may have */
  createBuffer(what: string, byteLength: number): CountedBuffer {
    this.expectAlive();
    const size = Math.max(16, Math.ceil(byteLength / 16) * 16);
    const largest = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    if (size > largest) {
      throw new BackendError(
        'OUT_OF_DEVICE_MEMORY',
        `Expected at most ${largest} bytes for ${what}, this GPU's limit for one buffer, but received ${size}`,
        { fields: { byteLength: size, limitBytes: largest } },
      );
    }
    this.memory.take(what, size);
    this.device.pushErrorScope('out-of-memory');
    const usage = USAGE.storage | USAGE.copySrc | USAGE.copyDst;
    const buffer = this.device.createBuffer({ size, usage });
    const destroy = (): void => {
      if (this.#buffers.delete(counted)) this.memory.give(size);
      buffer.destroy();
    };
    const ready = this.orLost(this.device.popErrorScope()).then((error) => {
      if (!error) return;
      destroy();
      throw new BackendError(
        'OUT_OF_DEVICE_MEMORY',
        `The GPU had no room for ${size} bytes for ${what}: ${error.message}; use a smaller budget`,
        { fields: { byteLength: size } },
      );
    });
    // Whoever uses the buffer hears of it; nobody may.
    ready.catch(() => undefined);
    const counted = { buffer, byteLength: size, ready, destroy };
    this.#buffers.add(counted);
    return counted;
  }

  /** Gives back every buffer that is left, and the device. Nothing may run any more. */
  close(): void {
    for (const counted of this.#buffers) counted.destroy();
    this.#leave();
  }
}
