// Weight bytes: in host memory, from where submissions carry them over, or pinned on the device.

import { BackendError, type WeightMemory } from '@airllm/backend';
import type { CountedBuffer } from '../gpu/gpu.js';

/** What a copy to a GPU buffer must be a multiple of. */
const WORD = 4;

/** Ordinary memory, a few bytes longer than asked for, so that any range can be copied in whole words. */
export class HostWeightMemory implements WeightMemory {
  /** JavaScript cannot ask for an address, so none is promised. */
  readonly pageAligned = false;
  readonly byteLength: number;
  #buffer: ArrayBuffer | undefined;
  #bytes: Uint8Array;

  constructor(byteLength: number) {
    this.byteLength = byteLength;
    try {
      this.#buffer = new ArrayBuffer(byteLength + WORD);
    } catch (cause) {
      throw new BackendError(
        'OUT_OF_MEMORY',
        `Could not allocate ${byteLength} weight bytes; allocate less, or several memories`,
        { fields: { byteLength }, cause },
      );
    }
    this.#bytes = new Uint8Array(this.#buffer, 0, byteLength);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Whole words from `byteOffset` on that hold `byteLength` bytes; the last may end past them. */
  wordsOf(byteOffset: number, byteLength: number): Uint8Array {
    if (!this.#buffer) throw disposed();
    return new Uint8Array(this.#buffer, byteOffset, Math.ceil(byteLength / WORD) * WORD);
  }

  dispose(): void {
    this.#buffer = undefined;
    this.#bytes = new Uint8Array();
  }
}

export class PinnedWeightMemory implements WeightMemory {
  readonly pageAligned = false;
  readonly bytes = new Uint8Array();
  #owned: CountedBuffer | undefined;

  constructor(
    owned: CountedBuffer,
    readonly byteLength: number,
  ) {
    this.#owned = owned;
  }

  get buffer(): GPUBuffer {
    if (!this.#owned) throw disposed();
    return this.#owned.buffer;
  }

  dispose(): void {
    this.#owned?.destroy();
    this.#owned = undefined;
  }
}

function disposed(): BackendError {
  return new BackendError('INVALID_OPERAND', 'Expected weight memory that is not disposed');
}
