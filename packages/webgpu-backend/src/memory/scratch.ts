// Memory for what one op hands from kernel to kernel: one buffer for all ops, since they run one after the other. It grows;
// what it was before stays until the submissions that name it are done.

import type { CountedBuffer, Gpu } from '../gpu/gpu.js';

export class Scratch {
  readonly #gpu: Gpu;
  #current: CountedBuffer | undefined;
  #retired: CountedBuffer[] = [];

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * At least `byteLength` bytes.
   *
   * @throws BackendError `OUT_OF_DEVICE_MEMORY`
   */
  buffer(byteLength: number): GPUBuffer {
    if (!this.#current || this.#current.byteLength < byteLength) {
      const larger = this.#gpu.createBuffer('what ops keep between kernels', byteLength);
      if (this.#current) this.#retired.push(this.#current);
      this.#current = larger;
    }
    return this.#current.buffer;
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` when the device turned out to have no room */
  async ready(): Promise<void> {
    await this.#current?.ready;
  }

  /** Gives back what is too small by now, once `idle` has resolved. */
  async release(idle: Promise<void>): Promise<void> {
    const retired = this.#retired;
    this.#retired = [];
    if (retired.length === 0) return;
    await idle;
    for (const buffer of retired) buffer.destroy();
  }

  dispose(): void {
    this.#current?.destroy();
    this.#current = undefined;
  }
}
