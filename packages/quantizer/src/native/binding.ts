// The whole native boundary: what quantizer.node exports, in types. Nothing else in this package touches the addon.

import { loadAddon } from '@airllm/native';
import { PACKAGE_DIR } from '../package-dir.js';

/** Instruction sets the kernels are compiled for; `auto` takes the best the machine has. */
export type InstructionSet = 'auto' | 'scalar' | 'avx2' | 'avx512' | 'neon';

/** Source dtypes by number. */
export const DTYPE_NUMBERS = { F32: 0, F16: 1, BF16: 2 } as const;

/** [source, error, cross, largest, first non-finite element or -1], as in `EncodeResult`. */
export type SumsArray = Float64Array;

/**
 * Threads of its own that encode and decode; calls only queue. Array lengths follow from the sizes before them and are
 * checked: anything else throws an error with `code` INVALID_DATA. Arrays are in use until the promise settles.
 */
export interface NativeQuantizer {
  /** The set that `auto` became. */
  readonly instructionSet: Exclude<InstructionSet, 'auto'>;
  encodeCodes(
    bits: 4 | 8,
    dtype: number,
    blockLength: number,
    elements: number,
    source: Uint8Array,
    codes: Uint8Array,
    absmax: Float32Array,
  ): Promise<SumsArray>;
  /** The last of the sums is the offset. */
  encodeFactors(
    count: number,
    absmax: Float32Array,
    codes: Uint8Array,
    nested: Float32Array,
  ): Promise<SumsArray>;
  decodeCodes(
    blockLength: number,
    elements: number,
    codes: Uint8Array,
    map: Float32Array,
    absmax: Float32Array,
    offset: Float32Array | undefined,
    to: Float32Array,
  ): Promise<unknown>;
  encodeIntegers(
    bits: 4 | 8,
    dtype: number,
    rows: number,
    cols: number,
    source: Uint8Array,
    codes: Uint8Array,
    scales: Float32Array,
  ): Promise<SumsArray>;
  decodeIntegers(
    bits: 4 | 8,
    rows: number,
    cols: number,
    codes: Uint8Array,
    scales: Float32Array,
    to: Float32Array,
  ): Promise<unknown>;
  /** Resolves to [capacity, first non-finite element or -1]. */
  surveyLossless(rows: number, cols: number, source: Uint8Array, bases: Uint8Array): Promise<Float64Array>;
  /** Resolves to [1], or [0] when a row has more escapes than there is room for. */
  encodeLossless(
    rows: number,
    cols: number,
    escapeBytes: number,
    source: Uint8Array,
    bytes: Uint8Array,
    codes: Uint8Array,
    escapes: Uint8Array,
    bases: Uint8Array,
  ): Promise<Float64Array>;
  /** As encodeLossless. */
  decodeLossless(
    rows: number,
    cols: number,
    escapeBytes: number,
    to: Uint8Array,
    bytes: Uint8Array,
    codes: Uint8Array,
    escapes: Uint8Array,
  ): Promise<Float64Array>;
}

export interface NativeBinding {
  readonly Quantizer: new (
    instructionSet: InstructionSet,
    threads: number,
    nibbleMap: Float32Array,
    byteMap: Float32Array,
    background: boolean,
  ) => NativeQuantizer;
}

let binding: NativeBinding | undefined;

/** @throws NativeAddonError of `@airllm/native` */
export function loadBinding(): NativeBinding {
  binding ??= loadAddon<NativeBinding>({ packageDir: PACKAGE_DIR, name: 'quantizer' });
  return binding;
}
