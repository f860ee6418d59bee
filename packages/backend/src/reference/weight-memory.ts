// Weight memory of the reference backend: an ordinary typed array.

import { BackendError } from '../errors.js';
import type { WeightMemory } from '../weight.js';
import { allocate } from './allocate.js';

/** Zero-filled; the system commits pages when they are written. Freed by the garbage collector. */
export class ReferenceWeightMemory implements WeightMemory {
  /** JavaScript cannot ask for an address, so none is promised. */
  readonly pageAligned = false;
  #bytes: Uint8Array | undefined;

  constructor(byteLength: number) {
    this.#bytes = allocate('weight bytes', byteLength, (length) => new Uint8Array(length));
  }

  get byteLength(): number {
    return this.bytes.byteLength;
  }

  get bytes(): Uint8Array {
    if (!this.#bytes)
      throw new BackendError('INVALID_OPERAND', 'Expected weight memory that is not disposed');
    return this.#bytes;
  }

  dispose(): void {
    this.#bytes = undefined;
  }
}
