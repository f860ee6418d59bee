// What one linear-attention layer remembers of each sequence.

import type { RecurrentLayerShape } from '../batch.js';
import { allocate } from './allocate.js';

/** Per slot the last inputs of the convolution [convWidth − 1, convChannels], and [heads, keyDim, valueDim]. */
export class RecurrentLayer {
  readonly #convInputs: Float32Array;
  readonly #state: Float32Array;

  constructor(
    readonly shape: RecurrentLayerShape,
    slots: number,
  ) {
    const { convChannels, convWidth, heads, keyDim, valueDim } = shape;
    const create = (length: number): Float32Array => new Float32Array(length);
    this.#convInputs = allocate('convolution elements', slots * (convWidth - 1) * convChannels, create);
    this.#state = allocate('state elements', slots * heads * keyDim * valueDim, create);
  }

  /** [convWidth − 1, convChannels], oldest first; writable in place. */
  convInputs(slot: number): Float32Array {
    const elements = (this.shape.convWidth - 1) * this.shape.convChannels;
    return this.#convInputs.subarray(slot * elements, (slot + 1) * elements);
  }

  /** [keyDim, valueDim] of one head; writable in place. */
  state(slot: number, head: number): Float32Array {
    const { heads, keyDim, valueDim } = this.shape;
    const start = (slot * heads + head) * keyDim * valueDim;
    return this.#state.subarray(start, start + keyDim * valueDim);
  }
}
