// Gathers the error sums of an encoding, block by block, in units of the block's factor.

import type { EncodeResult } from '../kernels.js';

export class SumsOfBlocks {
  #factor = 0;
  #source = 0;
  #error = 0;
  #cross = 0;
  #largest = 0;
  #firstNonFinite = -1;

  /** Values that follow are multiples of this. */
  startBlock(factor: number): void {
    this.#factor = Math.abs(factor);
  }

  /** A value of the source and what its code stands for, both divided by the block's factor. */
  add(scaled: number, coded: number): void {
    const square = this.#factor * this.#factor;
    const difference = scaled - coded;
    this.#source += square * scaled * scaled;
    this.#error += square * difference * difference;
    this.#cross += square * scaled * difference;
    this.#largest = Math.max(this.#largest, this.#factor * Math.abs(difference));
  }

  /** Remembers the first element that is NaN or Inf of the first block that has one. */
  nonFiniteBlock(values: Float32Array, first: number, count: number): void {
    if (this.#firstNonFinite !== -1) return;
    const within = values.subarray(first, first + count).findIndex((value) => !Number.isFinite(value));
    this.#firstNonFinite = first + within;
  }

  result(): EncodeResult {
    return {
      source: this.#source,
      error: this.#error,
      cross: this.#cross,
      largest: this.#largest,
      firstNonFinite: this.#firstNonFinite,
    };
  }
}
