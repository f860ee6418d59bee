// Activations: two-dimensional float32 tensors, and views of their columns and rows. A tensor is only
// a description; its place in the arena is decided when the program that records it is finished.

/** The memory behind one or more tensors: `elements` float32 values at `offset` in the arena. */
export interface Storage {
  readonly elements: number;
  /** First element in the arena; -1 until the program is finished. */
  offset: number;
}

/**
 * `rows` × `cols` float32 values. Element (r, c) lies at `offset + r * rowStride + c` in the arena.
 * Rows are tokens in every op of this package.
 */
export class Tensor {
  constructor(
    readonly storage: Storage,
    readonly rows: number,
    readonly cols: number,
    readonly rowStride: number,
    readonly start: number,
  ) {}

  /** First element in the arena. */
  get offset(): number {
    if (this.storage.offset < 0) throw new RangeError('Expected a tensor of a finished program');
    return this.storage.offset + this.start;
  }

  get isContiguous(): boolean {
    return this.rowStride === this.cols || this.rows === 1;
  }

  /** View of columns [start, start + count): shares memory with this tensor. */
  columns(start: number, count: number): Tensor {
    checkRange('columns', start, count, this.cols);
    return new Tensor(this.storage, this.rows, count, this.rowStride, this.start + start);
  }

  /** View of rows [start, start + count): shares memory with this tensor. */
  rowRange(start: number, count: number): Tensor {
    checkRange('rows', start, count, this.rows);
    return new Tensor(this.storage, count, this.cols, this.rowStride, this.start + start * this.rowStride);
  }
}

function checkRange(what: string, start: number, count: number, limit: number): void {
  if (!(
    Number.isInteger(start) &&
    Number.isInteger(count) &&
    start >= 0 &&
    count > 0 &&
    start + count <= limit
  )) {
    throw new RangeError(`Expected ${what} within [0, ${limit}) but received [${start}, ${start + count})`);
  }
}
