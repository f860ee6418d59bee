// An activation tensor as ops read and write it: rows and columns over the arena's values.

import type { Tensor } from '../tensor.js';

/** `rows` × `cols` float64 values somewhere in an arena. Ranges are checked before ops run, not here. */
export class Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly #offset: number;
  readonly #rowStride: number;

  constructor(
    readonly values: Float64Array,
    tensor: Tensor,
  ) {
    this.rows = tensor.rows;
    this.cols = tensor.cols;
    this.#offset = tensor.offset;
    this.#rowStride = tensor.rowStride;
  }

  /** Index in `values` of the first column of `row`. */
  rowStart(row: number): number {
    return this.#offset + row * this.#rowStride;
  }

  get(row: number, col: number): number {
    return this.values[this.rowStart(row) + col] ?? 0;
  }

  set(row: number, col: number, value: number): void {
    this.values[this.rowStart(row) + col] = value;
  }
}
