// Weights as ops see them: by name while a program is recorded, as bytes in device-readable memory
// when it is submitted.

import type { DType } from './dtype.js';

/** A weight named by a model definition. `shape` is [rows, cols] of a matrix or [length] of a vector. */
export interface WeightRef {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Memory that ops of one backend can read weights from. Created by {@link Backend.allocateWeights}. */
export interface WeightMemory {
  /** Where the host writes the bytes that ops will read. */
  readonly bytes: Uint8Array;
  /** True when `bytes` starts on a page boundary, as direct I/O needs. */
  readonly pageAligned: boolean;
  /** Gives the memory back at once. No submission that reads it may be in flight. */
  dispose(): void;
}

/**
 * A block of rows of a weight, where it lies. Row r starts at `byteOffset + r * cols * sizeof(dtype)`
 * of `memory.bytes`; no alignment is promised. A vector is one row.
 */
export interface WeightSlice {
  readonly memory: WeightMemory;
  readonly byteOffset: number;
  readonly dtype: DType;
  readonly rows: number;
  readonly cols: number;
}
