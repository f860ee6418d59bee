// Joins the weights a model names with the tensors a checkpoint has: presence, shape and dtype are
// checked here, before anything is read.

import {
  blockElementsOf,
  byteLengthOf,
  isPacked,
  type DType,
  type WeightPacking,
  type WeightRef,
  type WeightSpan,
} from '@airllm/backend';
import { LayerStoreError } from './errors.js';
import { resolveBitsandbytes } from './formats/bitsandbytes.js';
import { resolveFp8Scales } from './formats/fp8-scales.js';
import { resolveGrouped } from './formats/grouped.js';
import { resolveMx } from './formats/mxfp4.js';

/** Where a tensor lies, as `@airllm/checkpoint` describes it. */
export interface StoredTensor {
  readonly name: string;
  /** As safetensors or GGUF names it: `BF16`, `F8_E4M3`, `Q4_K` … */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly path: string;
  /** Absolute byte offset in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** By name. */
export type TensorTable = ReadonlyMap<string, StoredTensor>;

/** Bytes that are read once and stay. */
export interface ResidentSpan {
  readonly name: string;
  readonly path: string;
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
  /** Of packed weights whose factors lie in tensors of their own. */
  readonly packing?: ResolvedPacking | undefined;
}

/** The factors of a weight, one for each block of blockRows × blockCols. */
export interface ResolvedScales {
  /** As one vector, row by row. */
  readonly vector: ResolvedWeight;
  readonly dtype: 'f32' | 'bf16';
  /** Columns of their grid. */
  readonly cols: number;
  readonly blockRows: number;
  readonly blockCols: number;
}

/** Bytes that are read with the rows they belong to. */
export interface Companion {
  readonly path: string;
  readonly byteOffset: number;
  readonly rowBytes: number;
  /** Rows of the weight for each row of these. */
  readonly rowsEach: number;
}

/** From where the companions of a block of rows lie, in order, to what ops are given. */
export type BindPacking = (companions: readonly WeightSpan[], rowStart: number) => WeightPacking | undefined;

export interface ResolvedPacking {
  /** Stored [K, N] for a linear [N, K]. */
  readonly inputMajor: boolean;
  /** Blocks of rows begin at multiples of this. */
  readonly rowUnit: number;
  readonly companions: readonly Companion[];
  readonly residents: readonly ResidentSpan[];
  /**
   * Called once the residents are in memory.
   *
   * @throws LayerStoreError `UNSUPPORTED_DTYPE` for contents that contradict the headers
   */
  readonly open: (resident: (name: string) => WeightSpan) => BindPacking;
}

const DTYPE_OF: Readonly<Record<string, DType>> = {
  F32: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  F8_E4M3: 'f8e4m3',
  Q8_0: 'q8_0',
  Q4_0: 'q4_0',
  Q4_K: 'q4_k',
  Q6_K: 'q6_k',
};

/**
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`, each naming the tensor.
 */
export function resolveWeight(ref: WeightRef, tensors: TensorTable): ResolvedWeight {
  const isMatrix = ref.shape.length === 2;
  const packed = isMatrix
    ? (resolveMx(ref, tensors) ?? resolveBitsandbytes(ref, tensors) ?? resolveGrouped(ref, tensors))
    : undefined;
  const weight = packed ?? resolvePlain(ref, tensors);
  const mustBePlain = !isMatrix || weight.whole;
  if (mustBePlain && isPacked(weight.dtype)) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected F32, F16, BF16 or F8_E4M3 for ${ref.name}, which its op reads as a whole, but the checkpoint stores ${weight.dtype}`,
      { fields: { tensor: ref.name, dtype: weight.dtype } },
    );
  }
  return weight;
}

/** A weight whose values need nothing beside them but FP8's scales. */
export function resolvePlain(ref: WeightRef, tensors: TensorTable): ResolvedWeight {
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
  const blockElements = blockElementsOf(dtype);
  if (cols % blockElements !== 0 || source.start % blockElements !== 0) {
    throw new LayerStoreError(
      'WRONG_SHAPE',
      `Expected rows of whole blocks of ${blockElements} elements for ${source.tensor} in ${tensor.dtype} but received [${ref.shape.join(', ')}] from element ${source.start} on`,
      { fields: { tensor: source.tensor, dtype: tensor.dtype, expectedShape: ref.shape } },
    );
  }
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
    scales: dtype === 'f8e4m3' ? resolveFp8Scales(ref, { rows, cols }, tensors) : undefined,
  };
}

function findTensor(name: string, shape: readonly number[], tensors: TensorTable): StoredTensor {
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

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
