// What the backend holds of the device's memory, against its limit. Counted here since WebGPU does not tell.

import { BackendError } from '@airllm/backend';

export class MemoryAccount {
  #usedBytes: number;

  constructor(
    readonly limitBytes: number,
    readonly stagingBytes: number,
  ) {
    this.#usedBytes = stagingBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY`, with nothing taken */
  take(what: string, byteLength: number): void {
    const freeBytes = this.limitBytes - this.#usedBytes;
    if (byteLength > freeBytes) {
      throw new BackendError(
        'OUT_OF_DEVICE_MEMORY',
        `Expected at most ${freeBytes} bytes for ${what}, which are left of ${this.limitBytes}, but received ${byteLength}; dispose something or raise memoryBytes`,
        { fields: { byteLength, freeBytes, limitBytes: this.limitBytes } },
      );
    }
    this.#usedBytes += byteLength;
  }

  give(byteLength: number): void {
    this.#usedBytes -= byteLength;
  }
}
