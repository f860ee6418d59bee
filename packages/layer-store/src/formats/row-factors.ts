// Weights whose rows have their own bytes and, in other tensors, their own factors: what the formats of layer shards that
// are not of bitsandbytes have in common.

import {
  byteLengthOf,
  type DType,
  type WeightPacking,
  type WeightRef,
  type WeightSpan,
} from '@airllm/backend';
import type { ResolvedWeight, StoredTensor } from '../resolved-weight.js';
import { storedRows, type StoredRun } from './stored-run.js';

export interface RowTensors {
  readonly dtype: DType;
  /** For messages. */
  readonly format: string;
  /** [.., rows, …]. */
  readonly data: StoredTensor;
  /** Bytes of a row in each, and the tensor. */
  readonly companions: readonly { readonly tensor: StoredTensor; readonly rowBytes: number }[];
  readonly bind: (companions: readonly WeightSpan[]) => WeightPacking | undefined;
}

/** @throws LayerStoreError `UNSUPPORTED_DTYPE` for a weight that is not whole rows of its tensor */
export function rowWeight(
  ref: WeightRef,
  run: StoredRun,
  { dtype, format, data, companions, bind }: RowTensors,
): ResolvedWeight {
  const { isVector } = run;
  const { firstRow, rows, cols } = storedRows(run, { name: ref.name, format });
  const rowBytes = byteLengthOf(dtype, cols);
  return {
    name: ref.name,
    dtype,
    rows,
    cols,
    isVector,
    whole: ref.whole ?? false,
    decoded: isVector || (ref.whole ?? false),
    path: data.path,
    byteOffset: data.byteOffset + firstRow * rowBytes,
    byteLength: rows * rowBytes,
    rowBytes,
    scales: undefined,
    packing: {
      inputMajor: false,
      rowUnit: 1,
      companions: companions.map(({ tensor, rowBytes: unitBytes }) => ({
        path: tensor.path,
        byteOffset: tensor.byteOffset + firstRow * unitBytes,
        unitBytes,
        unitElements: cols,
        first: 0,
      })),
      residents: [],
      open: () => bind,
    },
  };
}
