// Scales of FP8 weights: `<name>_scale_inv` for each block of 128 × 128, or `<name>_scale` per tensor or per row.

import type { WeightRef } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import type { ResolvedScales, TensorTable } from '../resolved-weight.js';
import { resolvePlain } from '../resolve-weights.js';
import { elementsOf } from './stored-run.js';

/** Blocks of DeepSeek-V3 and those after it. */
const FP8_BLOCK = 128;

/** @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE` */
export function resolveFp8Scales(
  ref: WeightRef,
  { rows, cols }: { rows: number; cols: number },
  tensors: TensorTable,
): ResolvedScales {
  const blocked = tensors.get(`${ref.name}_scale_inv`);
  const tensor = blocked ?? tensors.get(`${ref.name}_scale`);
  const found = tensor?.shape ?? [];
  const grid = [Math.ceil(rows / FP8_BLOCK), Math.ceil(cols / FP8_BLOCK)];
  const isGrid = blocked !== undefined && found.length === 2 && found.every((size, i) => size === grid[i]);
  const isPerTensor = !blocked && elementsOf(found) === 1;
  const isPerRow = !blocked && found[0] === rows && elementsOf(found) === rows;
  if (!tensor || ref.source || !(isGrid || isPerTensor || isPerRow)) {
    throw new LayerStoreError(
      tensor ? 'WRONG_SHAPE' : 'MISSING_TENSOR',
      `Expected the scales of ${ref.name} as ${ref.name}_scale_inv [${grid.join(', ')}] or ${ref.name}_scale with one value, or one a row, but the checkpoint has ${tensor ? `[${found.join(', ')}]` : 'neither'}`,
      { fields: { tensor: ref.name, expectedShape: grid, foundShape: tensor?.shape } },
    );
  }
  const source = { tensor: tensor.name, shape: found, start: 0 };
  const vector = resolvePlain({ name: tensor.name, shape: [elementsOf(found)], source }, tensors);
  const { dtype } = vector;
  if (dtype !== 'f32' && dtype !== 'bf16') {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected F32 or BF16 for ${tensor.name} but the checkpoint stores ${tensor.dtype}`,
      { fields: { tensor: tensor.name, dtype: tensor.dtype } },
    );
  }
  if (isGrid) return { vector, dtype, cols: grid[1] ?? 1, blockRows: FP8_BLOCK, blockCols: FP8_BLOCK };
  return { vector, dtype, cols: 1, blockRows: isPerTensor ? rows : 1, blockCols: cols };
}
