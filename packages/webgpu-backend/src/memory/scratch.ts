// Memory for what one op hands from kernel to kernel: one buffer for all ops, since they run one after the other. It is set
// aside when the backend is opened, and made when the first op needs it.

import { BackendError } from '@airllm/backend';
import type { CountedBuffer, Gpu } from '../gpu/gpu.js';

export class Scratch {
  readonly #gpu: Gpu;
  #buffer: CountedBuffer | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  get byteLength(): number {
    return this.#gpu.memory.workspaceBytes;
  }

  /**
   * At least `byteLength` bytes.
   *
   * @throws BackendError `OUT_OF_DEVICE_MEMORY`
   */
  buffer(byteLength: number): GPUBuffer {
    if (byteLength > this.byteLength) {
      throw new BackendError(
        'OUT_OF_DEVICE_MEMORY',
        `Expected at most ${this.byteLength} bytes for what ops keep between kernels but received ${byteLength}; raise workspaceBytes`,
        { fields: { byteLength, workspaceBytes: this.byteLength } },
      );
    }
    this.#buffer ??= this.#create();
    return this.#buffer.buffer;
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` when the device turned out to have no room */
  async ready(): Promise<void> {
    await this.#buffer?.ready;
  }

  dispose(): void {
    this.#buffer?.destroy();
    this.#buffer = undefined;
  }

  #create(): CountedBuffer {
    // What was set aside becomes the buffer's.
    this.#gpu.memory.give(this.byteLength);
    return this.#gpu.createBuffer('what ops keep between kernels', this.byteLength);
  }
}
