// What the backend holds of the device's memory, against its limit. Counted here since WebGPU does not tell.

import { BackendError } from '@airllm/backend';

export class MemoryAccount {
  #usedBytes: number;

  /** @param set.stagingBytes and set.workspaceBytes are set aside: they count from the start, needed or not */
  constructor(
    readonly limitBytes: number,
    private readonly set: { readonly stagingBytes: number; readonly workspaceBytes: number },
  ) {
    this.#usedBytes = set.stagingBytes + set.workspaceBytes;
  }

  get stagingBytes(): number {
    return this.set.stagingBytes;
  }

  get workspaceBytes(): number {
    return this.set.workspaceBytes;
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
