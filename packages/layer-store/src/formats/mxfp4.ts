// MXFP4 as gpt-oss stores it: `<name>_blocks` [.., rows, cols / 32, 16] and `<name>_scales` [.., rows, cols / 32], bytes
// both. Scales are read with the rows they belong to.

import type { WeightRef } from '@airllm/backend';
import { elementsOf, type ResolvedWeight, type TensorTable } from '../resolve-weights.js';
import { companionTensor, expectWholeRows } from './companion-tensor.js';

const BLOCK = 32;

/** Undefined where the checkpoint has no blocks of that name. */
export function resolveMx(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const { tensor: name, shape, start } = ref.source ?? { tensor: ref.name, shape: ref.shape, start: 0 };
  if (tensors.has(name) || !tensors.has(`${name}_blocks`)) return undefined;
  const cols = shape.at(-1) ?? 1;
  const grid = [...shape.slice(0, -1), cols / BLOCK];
  const blocks = companionTensor(tensors, `${name}_blocks`, { dtypes: ['U8'], shape: [...grid, 16] });
  const scales = companionTensor(tensors, `${name}_scales`, { dtypes: ['U8'], shape: grid });
  const firstRow = expectWholeRows(ref.name, start, cols);
  const rows = elementsOf(ref.shape) / cols;
  const rowBytes = cols / 2;
  const scaleBytes = cols / BLOCK;
  return {
    name: ref.name,
    dtype: 'mxfp4',
    rows,
    cols,
    isVector: false,
    whole: ref.whole ?? false,
    path: blocks.path,
    byteOffset: blocks.byteOffset + firstRow * rowBytes,
    byteLength: rows * rowBytes,
    rowBytes,
    scales: undefined,
    packing: {
      inputMajor: false,
      rowUnit: 1,
      companions: [
        {
          path: scales.path,
          byteOffset: scales.byteOffset + firstRow * scaleBytes,
          rowBytes: scaleBytes,
          rowsEach: 1,
        },
      ],
      residents: [],
      open:
        () =>
        ([span]) =>
          span && { kind: 'mxfp4', scales: span },
    },
  };
}
