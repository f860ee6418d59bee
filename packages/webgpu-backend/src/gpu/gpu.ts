// One open device: buffers under a limit, pipelines made once, and the two ways in which it ends.

import { BackendError } from '@airllm/backend';
import type { Kernel } from '../dispatch/kernel.js';
import { USAGE } from './dawn.js';
import type { MemoryAccount } from './memory-account.js';

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A buffer that is there, or will be known not to be. */
export interface CountedBuffer {
  readonly buffer: GPUBuffer;
  readonly byteLength: number;
  /** Rejects with `OUT_OF_DEVICE_MEMORY` when the device had no room; the bytes are then no longer counted. */
  readonly ready: Promise<void>;
  destroy(): void;
}

export class Gpu {
  readonly device: GPUDevice;
  readonly memory: MemoryAccount;
  /** Stands where an optional operand is absent. */
  readonly nothing: GPUBuffer;
  readonly #pipelines = new Map<string, Pipeline>();
  /** Rejections of what waits for the device: kept only while it waits, since backends live long. */
  readonly #waiting = new Set<(error: BackendError) => void>();
  #failure: BackendError | undefined;

  constructor(device: GPUDevice, memory: MemoryAccount) {
    this.device = device;
    this.memory = memory;
    this.nothing = device.createBuffer({ size: 256, usage: USAGE.storage });
    void device.lost.then(({ message }) => {
      const failure = this.#fail(`The GPU was lost: ${message || 'no reason given'}`);
      for (const reject of this.#waiting) reject(failure);
    });
    device.addEventListener('uncapturederror', (event) => {
      this.#fail(`The GPU refused what it was told: ${event.error.message}`);
    });
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits;
  }

  /** @throws BackendError `DEVICE_LOST` */
  expectAlive(): void {
    if (this.#failure) throw this.#failure;
  }

  /** @throws BackendError `DEVICE_LOST` when the device goes before `promise` settles */
  async orLost<T>(promise: Promise<T>): Promise<T> {
    this.expectAlive();
    const { promise: lost, reject } = rejection();
    this.#waiting.add(reject);
    try {
      const value = await Promise.race([promise, lost]);
      this.expectAlive();
      return value;
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      this.#waiting.delete(reject);
    }
  }

  /** Settles when everything submitted so far is done. */
  finished(): Promise<undefined> {
    return this.orLost(this.device.queue.onSubmittedWorkDone());
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
    let counted = true;
    const destroy = (): void => {
      if (counted) this.memory.give(size);
      counted = false;
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
    return { buffer, byteLength: size, ready, destroy };
  }

  /** Compiles what is not there yet, off the JavaScript thread. */
  async compile(kernels: Iterable<Kernel>): Promise<void> {
    const missing = [...new Set(kernels)].filter(({ name }) => !this.#pipelines.has(name));
    if (missing.length === 0) return;
    await this.orLost(Promise.all(missing.map((kernel) => this.#compile(kernel))));
  }

  /** Of a kernel that has been compiled. */
  pipelineOf({ name }: Kernel): Pipeline {
    const pipeline = this.#pipelines.get(name);
    if (!pipeline) throw new TypeError(`Expected ${name} to be compiled before it is encoded`);
    return pipeline;
  }

  async #compile({ name, wgsl, buffers }: Kernel): Promise<void> {
    const layout = this.device.createBindGroupLayout({
      label: name,
      entries: buffers.map(({ access }, binding) => ({
        binding,
        visibility: 4, // GPUShaderStage.COMPUTE
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      })),
    });
    const pipeline = await this.device.createComputePipelineAsync({
      label: name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.device.createShaderModule({ label: name, code: wgsl }), entryPoint: 'main' },
    });
    this.#pipelines.set(name, { pipeline, layout });
  }

  #fail(message: string): BackendError {
    this.#failure ??= new BackendError('DEVICE_LOST', `${message}. Open the backend again.`);
    return this.#failure;
  }
}

/** A promise that is never fulfilled, and its rejection. */
function rejection(): { promise: Promise<never>; reject: (error: BackendError) => void } {
  let reject: (error: BackendError) => void = () => undefined;
  const promise = new Promise<never>((_, rejectPromise) => (reject = rejectPromise));
  return { promise, reject };
}
