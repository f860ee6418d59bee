// One device of Dawn: its compiled kernels, and the two ways in which it ends. It outlives the backend that opened it: the
// next one takes it over with its kernels.

import { BackendError } from '@airllm/backend';
import type { Kernel } from '../dispatch/kernel.js';
import { USAGE } from './dawn.js';

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class GpuDevice {
  readonly device: GPUDevice;
  /** Stands where an optional operand is absent. */
  readonly nothing: GPUBuffer;
  readonly #pipelines = new Map<string, Pipeline>();
  /** Rejections of what waits for the device: kept only while it waits, since devices live long. */
  readonly #waiting = new Set<(error: BackendError) => void>();
  #failure: BackendError | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    this.nothing = device.createBuffer({ size: 256, usage: USAGE.storage });
    void device.lost.then(({ message }) => {
      const failure = this.#fail(`The GPU was lost: ${message || 'no reason given'}`);
      for (const reject of this.#waiting) reject(failure);
    });
    device.addEventListener('uncapturederror', (event) => {
      this.#fail(`The GPU refused what it was told: ${event.error.message}`);
    });
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
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
