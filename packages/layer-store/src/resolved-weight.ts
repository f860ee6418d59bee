// What is known of a weight before anything is read: its format, its shape, and where all that makes its values lies.

import type { DType, WeightPacking, WeightSpan } from '@airllm/backend';

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
export type TensorTable = Pick<ReadonlyMap<string, StoredTensor>, 'get' | 'has'>;

/** What names and headers do not tell of a format. */
export interface FormatOptions {
  /** Rows of GPTQ weights may be of any group (act-order, `desc_act`), so that any of them needs all factors. */
  readonly shuffledGroups: boolean;
}

/** Bytes of a file. */
export interface FileSpan {
  readonly path: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A weight with its place on disk. Vectors are one row, decoded ones those of their tensor. */
export interface ResolvedWeight {
  readonly name: string;
  /** As stored. */
  readonly dtype: DType;
  readonly rows: number;
  readonly cols: number;
  readonly isVector: boolean;
  /** Never cut into blocks of rows. */
  readonly whole: boolean;
  /** Ops get float32 made of the stored values when they are read: those that take it take no packed formats. */
  readonly decoded: boolean;
  readonly path: string;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Whole bytes, but for odd rows of 4-bit codes, which have a half: blocks of rows then begin at even ones. */
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

/**
 * Bytes that are read with the rows they belong to: a unit for every `unitElements` elements of the weight, counted row after
 * row, so that a unit may be several rows' or part of one.
 */
export interface Companion {
  readonly path: string;
  /** Of the unit that the weight begins in. */
  readonly byteOffset: number;
  readonly unitBytes: number;
  readonly unitElements: number;
  /** Elements of the first unit that come before the weight, below `unitElements`. */
  readonly first: number;
}

/** From where the companions of a block of rows lie, in order, to what ops are given. */
export type BindPacking = (companions: readonly WeightSpan[], rowStart: number) => WeightPacking | undefined;

export interface ResolvedPacking {
  /** Stored [K, N] for a linear [N, K]. */
  readonly inputMajor: boolean;
  /** Blocks of rows begin at multiples of this. */
  readonly rowUnit: number;
  readonly companions: readonly Companion[];
  /** Small, and read once: code books and what describes the weight. */
  readonly residents: readonly FileSpan[];
  /**
   * Called once the residents are in memory.
   *
   * @throws LayerStoreError `UNSUPPORTED_DTYPE` for contents that contradict the headers
   */
  readonly open: (resident: (span: FileSpan) => WeightSpan) => BindPacking;
}
