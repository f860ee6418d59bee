// Joins the weights a model names with the tensors a checkpoint has: presence, shape and dtype are
// checked here, before anything is read.

import { byteLengthOf, type DType, type WeightRef } from '@airllm/backend';
import { LayerStoreError } from './errors.js';

/** Where a tensor lies, as `@airllm/checkpoint` describes it. */
export interface StoredTensor {
  readonly name: string;
  /** As safetensors names it: `BF16`, `F16`, `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly path: string;
  /** Absolute byte offset in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A weight with its place on disk. Vectors are one row. */
export interface ResolvedWeight {
  readonly name: string;
  readonly dtype: DType;
  readonly rows: number;
  readonly cols: number;
  readonly isVector: boolean;
  /** Never cut into blocks of rows. */
  readonly whole: boolean;
  readonly path: string;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly rowBytes: number;
  /** Of FP8 weights. */
  readonly scales: ResolvedScales | undefined;
}

/** The factors of a weight, one for each block of blockRows × blockCols. */
export interface ResolvedScales {
  /** As one vector, row by row. */
  readonly vector: ResolvedWeight;
  /** Columns of their grid. */
  readonly cols: number;
  readonly blockRows: number;
  readonly blockCols: number;
}

const DTYPE_OF: Readonly<Record<string, DType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16', F8_E4M3: 'f8e4m3' };

/**
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`, each naming the tensor.
 */
export function resolveWeight(ref: WeightRef, tensors: ReadonlyMap<string, StoredTensor>): ResolvedWeight {
  const source = ref.source ?? { tensor: ref.name, shape: ref.shape, start: 0 };
  const tensor = findTensor(source.tensor, source.shape, tensors);
  const dtype = DTYPE_OF[tensor.dtype];
  if (!dtype) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${Object.keys(DTYPE_OF).join(', ')} for ${source.tensor} but the checkpoint stores ${tensor.dtype}`,
      { fields: { tensor: source.tensor, dtype: tensor.dtype } },
    );
  }
  const elements = elementsOf(ref.shape);
  if (source.start < 0 || source.start + elements > elementsOf(source.shape)) {
    throw new RangeError(`Expected ${ref.name} to lie within ${source.tensor} [${source.shape.join(', ')}]`);
  }
  const isVector = ref.shape.length === 1;
  const cols = ref.shape.at(-1) ?? 1;
  const rows = isVector ? 1 : elements / cols;
  return {
    name: ref.name,
    dtype,
    rows,
    cols,
    isVector,
    whole: ref.whole ?? false,
    path: tensor.path,
    byteOffset: tensor.byteOffset + byteLengthOf(dtype, source.start),
    byteLength: byteLengthOf(dtype, elements),
    rowBytes: byteLengthOf(dtype, cols),
    scales: dtype === 'f8e4m3' ? resolveScales(ref, { rows, cols }, tensors) : undefined,
  };
}

function findTensor(
  name: string,
  shape: readonly number[],
  tensors: ReadonlyMap<string, StoredTensor>,
): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new LayerStoreError(
      'MISSING_TENSOR',
      `Expected a tensor ${name} with shape [${shape.join(', ')}] but the checkpoint has none of that name`,
      { fields: { tensor: name, expectedShape: shape } },
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
    throw new LayerStoreError(
      'WRONG_SHAPE',
      `Expected shape [${shape.join(', ')}] for ${name} but the checkpoint has [${tensor.shape.join(', ')}]`,
      { fields: { tensor: name, expectedShape: shape, foundShape: tensor.shape } },
    );
  }
  return tensor;
}

/** Blocks of DeepSeek-V3 and those after it. */
const FP8_BLOCK = 128;

/** FP8 comes with `<name>_scale_inv` per block of 128 × 128, or `<name>_scale` per tensor or per row. */
function resolveScales(
  ref: WeightRef,
  { rows, cols }: { rows: number; cols: number },
  tensors: ReadonlyMap<string, StoredTensor>,
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
  const vector = resolveWeight({ name: tensor.name, shape: [elementsOf(found)], source }, tensors);
  if (isGrid) return { vector, cols: grid[1] ?? 1, blockRows: FP8_BLOCK, blockCols: FP8_BLOCK };
  return { vector, cols: 1, blockRows: isPerTensor ? rows : 1, blockCols: cols };
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
