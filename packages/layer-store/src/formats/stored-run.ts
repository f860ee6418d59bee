// The run of elements of a tensor that a weight is: all of it, or a part of a fused one.

import type { WeightRef } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';

export interface StoredRun {
  /** Name of the tensor. */
  readonly tensor: string;
  /** Of the tensor, as the model has it. */
  readonly shape: readonly number[];
  /** Elements of the tensor before the weight's first. */
  readonly start: number;
  readonly rows: number;
  readonly cols: number;
  readonly isVector: boolean;
}

/** @throws RangeError for a weight that does not lie within its tensor */
export function storedRun(ref: WeightRef): StoredRun {
  const { tensor, shape, start } = ref.source ?? { tensor: ref.name, shape: ref.shape, start: 0 };
  const elements = elementsOf(ref.shape);
  if (start < 0 || start + elements > elementsOf(shape)) {
    throw new RangeError(`Expected ${ref.name} to lie within ${tensor} [${shape.join(', ')}]`);
  }
  const isVector = ref.shape.length === 1;
  const cols = ref.shape.at(-1) ?? 1;
  return { tensor, shape, start, rows: isVector ? 1 : elements / cols, cols, isVector };
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Leading dimensions as rows. */
export function asMatrix(shape: readonly number[]): { rows: number; cols: number } {
  const cols = shape.at(-1) ?? 1;
  return { rows: elementsOf(shape.slice(0, -1)), cols };
}

/** Rows of a tensor that a weight is, for formats that keep factors for each row. */
export interface StoredRows {
  readonly firstRow: number;
  readonly rows: number;
  readonly cols: number;
}

/** @throws LayerStoreError `UNSUPPORTED_DTYPE` for a weight that is not whole rows of its tensor */
export function storedRows(run: StoredRun, { name, format }: { name: string; format: string }): StoredRows {
  const { cols } = asMatrix(run.shape);
  const elements = run.rows * run.cols;
  if (run.start % cols === 0 && elements % cols === 0 && (run.isVector || run.cols === cols)) {
    return { firstRow: run.start / cols, rows: elements / cols, cols };
  }
  throw new LayerStoreError(
    'UNSUPPORTED_DTYPE',
    `Expected ${name} to be whole rows of ${run.tensor}, which is stored in ${format}, but [${run.rows}, ${run.cols}] from value ${run.start} on lies across its rows of ${cols}`,
    { fields: { tensor: run.tensor, weight: name, format } },
  );
}
