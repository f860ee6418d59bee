// Activations of the reference backend, in float64.

import type { Arena } from '../backend.js';
import { BackendError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { allocate } from './allocate.js';
import { checkTensor, checkWrite } from './check-operands.js';
import { Matrix } from './matrix.js';

/** Runs work after everything queued before it. */
export type Enqueue = <T>(work: () => T | Promise<T>) => Promise<T>;

export class ReferenceArena implements Arena {
  readonly elements: number;
  readonly byteLength: number;
  readonly #enqueue: Enqueue;
  #values: Float64Array | undefined;

  constructor(elements: number, enqueue: Enqueue) {
    this.#values = allocate('arena elements', elements, (length) => new Float64Array(length));
    this.#enqueue = enqueue;
    this.elements = elements;
    this.byteLength = this.#values.byteLength;
  }

  get values(): Float64Array {
    if (!this.#values) throw new BackendError('INVALID_OPERAND', 'Expected an arena that is not disposed');
    return this.#values;
  }

  async write(tensor: Tensor, data: Float32Array): Promise<void> {
    checkWrite(tensor, data, this);
    const { rows, cols } = tensor;
    await this.#enqueue(() => {
      const matrix = new Matrix(this.values, tensor);
      for (let row = 0; row < rows; row++) {
        this.values.set(data.subarray(row * cols, (row + 1) * cols), matrix.rowStart(row));
      }
    });
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    checkTensor('read tensor', tensor, this);
    return this.#enqueue(() => {
      const { rows, cols } = tensor;
      const matrix = new Matrix(this.values, tensor);
      const data = new Float32Array(rows * cols);
      for (let row = 0; row < rows; row++) {
        const start = matrix.rowStart(row);
        data.set(this.values.subarray(start, start + cols), row * cols);
      }
      return data;
    });
  }

  dispose(): void {
    this.#values = undefined;
  }
}
