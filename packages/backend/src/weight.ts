// Weights as ops see them: by name while a program is recorded, as bytes in device-readable memory
// when it is submitted.

import type { DType } from './dtype.js';
import type { WeightPacking } from './packing.js';

/** A weight named by a model definition. `shape` is [rows, cols] of a matrix or [length] of a vector. */
export interface WeightRef {
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * Where it lies when it is not a tensor of its own: `shape` is then a run of elements of `tensor`, whose shape in
   * the checkpoint is `shape` here, from element `start` on. Default: the tensor called `name`, of the same shape.
   */
  readonly source?: { readonly tensor: string; readonly shape: readonly number[]; readonly start: number };
  /** Its op needs all rows at once, so it is never cut into blocks. Default false. */
  readonly whole?: boolean;
}

/**
 * Memory that ops of one backend can read weights from. Created by {@link Backend.allocateWeights}, or on a device with
 * memory of its own by {@link DeviceMemory.pin}.
 */
export interface WeightMemory {
  readonly byteLength: number;
  /** Where the host writes the bytes that ops will read. Empty for memory on a device. */
  readonly bytes: Uint8Array;
  /** True when `bytes` starts on a page boundary, as direct I/O needs. */
  readonly pageAligned: boolean;
  /** Gives the memory back at once. No submission that reads it may be in flight. */
  dispose(): void;
}

/**
 * A block of rows of a weight, where it lies. Row r starts `byteLengthOf(dtype, r * cols)` bytes after `byteOffset`
 * of `memory.bytes` (rows of `gptq4` lie eight together); no alignment is promised. A vector is one row.
 */
export interface WeightSlice {
  readonly memory: WeightMemory;
  readonly byteOffset: number;
  readonly dtype: DType;
  readonly rows: number;
  readonly cols: number;
  /** Needed by `f8e4m3`, refused with any other dtype. */
  readonly scales?: BlockScales;
  /** Needed by the packed dtypes that have one, of the same kind, and refused with any other dtype. */
  readonly packing?: WeightPacking;
}

/**
 * Factors of a weight, one for each block of blockRows × blockCols: element (r, c) of the slice is
 * multiplied by scale[(firstRow + r) / blockRows | 0, c / blockCols | 0]. One block may cover everything. Where an op
 * hands the element on as it is (embedding), the product is rounded to float32 once.
 */
export interface BlockScales {
  readonly memory: WeightMemory;
  /** No alignment is promised. */
  readonly byteOffset: number;
  /** Default f32. */
  readonly dtype?: 'f32' | 'bf16';
  /** Columns of the grid of scales; its rows lie `cols` apart. */
  readonly cols: number;
  readonly blockRows: number;
  readonly blockCols: number;
  /** Row of the whole weight that is row 0 of the slice. */
  readonly firstRow: number;
}
